/** How far a long command is, for whoever shows it. */

export type Phase = 'hash' | 'upload' | 'seal' | 'check' | 'download' | 'verify';

export interface Progress {
  readonly phase: Phase;
  /** Bytes done, of how many. */
  readonly bytes: number;
  readonly total: number;
  /** The file that is being worked on, where there is one to name. */
  readonly file?: string;
}

export type OnProgress = (progress: Progress) => void;

/** Adds up what many files report one by one. */
export class ProgressSum {
  readonly #phase: Phase;
  readonly #total: number;
  readonly #report: OnProgress | undefined;
  readonly #done = new Map<string, number>();
  #sum = 0;

  constructor(phase: Phase, total: number, report: OnProgress | undefined) {
    this.#phase = phase;
    this.#total = total;
    this.#report = report;
  }

  /** So many bytes of `file` are done by now. */
  set(file: string, bytes: number): void {
    this.#sum += bytes - (this.#done.get(file) ?? 0);
    this.#done.set(file, bytes);
    this.#report?.({ phase: this.#phase, bytes: this.#sum, total: this.#total, file });
  }

  /** So many bytes more of `file`. */
  add(file: string, bytes: number): void {
    this.set(file, (this.#done.get(file) ?? 0) + bytes);
  }
}
