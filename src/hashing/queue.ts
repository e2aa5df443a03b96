/** Jobs that wait for a thread, given out largest first: what is long must not begin last. */
import type { FileJob } from './file-job.ts';

export class JobQueue {
  readonly #jobs: FileJob[] = [];
  #sorted = true;
  #cost = 0;

  /** Bytes to be hashed in all jobs that wait. */
  get cost(): number {
    return this.#cost;
  }

  add(job: FileJob): void {
    this.#jobs.push(job);
    this.#sorted = false;
    this.#cost += job.cost;
  }

  takeLargest(): FileJob | undefined {
    if (!this.#sorted) this.#jobs.sort((a, b) => a.cost - b.cost);
    this.#sorted = true;
    const job = this.#jobs.pop();
    this.#cost -= job?.cost ?? 0;
    return job;
  }
}
