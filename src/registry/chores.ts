/**
 * Work that nobody waits for and nothing depends on: tidying up, notes that save an upload
 * later. A chore that fails is left; what it would have done is done by the next one, by
 * `recover`, or by the scrub.
 */
export class Chores {
  readonly #running = new Set<Promise<void>>();

  begin(chore: () => Promise<unknown>): void {
    const running = chore()
      .catch(() => {})
      .then(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Resolves when all that was begun has ended, and what a chore itself began. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
