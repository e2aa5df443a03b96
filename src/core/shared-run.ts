/**
 * Lets callers share what takes long and is the same for all: who comes while a run is on its
 * way gets the result of the next one, together with everybody who came meanwhile. So at most
 * one runs at a time, and nobody is given what was begun before they asked.
 */
export class SharedRun<T> {
  readonly #act: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(act: () => Promise<T>) {
    this.#act = act;
  }

  /** The result of a run that begins now, or as soon as the one on its way has ended. */
  run(): Promise<T> {
    if (this.#running === undefined) return this.#begin();
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<T> {
    this.#next = undefined;
    const running = this.#act();
    const over = () => {
      if (this.#running === running) this.#running = undefined;
    };
    this.#running = running;
    running.then(over, over);
    return running;
  }
}
