/** One hashing thread, as seen by those who call it. */
import { extname } from 'node:path';
import type { ResourceLimits } from 'node:worker_threads';
import { CallingThread } from './calls.ts';
import { type Answers, NAME, type Request } from './protocol.ts';

/** The thread's program lies beside this file: `.ts` in a checkout, `.js` in `dist`. */
const PROGRAM = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

export class HashingThread extends CallingThread<Request, Answers> {
  /** `limits` for a thread that makes much garbage and needs little memory. */
  constructor(program: URL = PROGRAM, limits: ResourceLimits = {}) {
    super(program, NAME, limits);
  }
}
