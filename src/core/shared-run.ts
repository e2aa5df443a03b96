/**
 * Lets callers share what takes long and is the same for all, such as an fsync or the reading of
 * what changes. Whoever asks while a run is on its way gets the result of the next one, together
 * with everybody who asks meanwhile: the running one may have begun before what they have to see,
 * so it proves nothing to them.
 */
export class SharedRun<T> {
  readonly #act: () => Promise<T>;
  #running: Promise<T> | undefined;
  #waiting: Promise<T> | undefined;

  constructor(act: () => Promise<T>) {
    this.#act = act;
  }

  /** The result of a run that begins now, or as soon as the one on its way has ended. */
  run(): Promise<T> {
    if (this.#waiting !== undefined) return this.#waiting;
    if (this.#running === undefined) return this.#start();
    const startNext = (): Promise<T> => {
      this.#waiting = undefined;
      return this.#start();
    };
    this.#waiting = this.#running.then(startNext, startNext);
    return this.#waiting;
  }

  get idle(): boolean {
    return this.#running === undefined && this.#waiting === undefined;
  }

  #start(): Promise<T> {
    const run = this.#act().finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }
}
