/** Runs tasks a few at a time; whoever adds one waits until there is room, so none pile up. */
export class Lanes {
  readonly #width: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly cause: unknown } | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** Starts `task` once there is room. Throws the failure of one that was added before. */
  async add(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#width) await Promise.race(this.#running);
    this.#rethrow();
    const running = task()
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Waits for all of them. Throws the failure of the first that failed. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
