/**
 * Group commit for fsync. Whoever asks while an fsync runs waits for the next one, together
 * with everyone else who asks meanwhile: the running one may have started before their
 * change was made, so it proves nothing to them.
 */
export class SharedSync {
  readonly #fsync: () => Promise<void>;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  constructor(fsync: () => Promise<void>) {
    this.#fsync = fsync;
  }

  /** Resolves when everything that was changed before this call is on the disk. */
  sync(): Promise<void> {
    if (this.#waiting !== undefined) return this.#waiting;
    if (this.#running === undefined) return this.#start();
    const startNext = (): Promise<void> => {
      this.#waiting = undefined;
      return this.#start();
    };
    this.#waiting = this.#running.then(startNext, startNext);
    return this.#waiting;
  }

  get idle(): boolean {
    return this.#running === undefined && this.#waiting === undefined;
  }

  #start(): Promise<void> {
    const run = this.#fsync().finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }
}
