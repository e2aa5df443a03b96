/** The body of an answer: bounded in size, and given up when nothing comes any more. */
import { concat } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';

/** Milliseconds without a byte after which a server counts as gone. */
export const IDLE_MILLISECONDS = 60_000;

/** Reads at most `max` bytes; more are refused, or cut off where only the beginning matters. */
export async function readBody(
  response: Response,
  max: number,
  address: string,
  idle: IdleClock,
  more: 'refuse' | 'cut' = 'refuse',
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    idle.touch();
    parts.push(value);
    length += value.length;
    if (length <= max) continue;
    await reader.cancel();
    if (more === 'cut') return concat(...parts).subarray(0, max);
    throw new CodedError('too-large', `the answer of ${address} is longer than ${max} bytes`);
  }
}

/** Aborts when the person does, or when nothing has come for too long. */
export class IdleClock {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = () => this.#controller.abort(this.#outer?.reason);

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#abort, { once: true });
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    clearTimeout(this.#timer);
    const late = () => this.#controller.abort(new Error('nothing came for too long'));
    this.#timer = setTimeout(late, IDLE_MILLISECONDS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abort);
  }
}
