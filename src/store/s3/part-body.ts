/**
 * A part's bytes on their way to S3. The last chunk is held back until the sender has ended
 * well: S3 takes a part as soon as its declared length has come, and could not be told any
 * more that a byte too many followed, or that the digest did not fit.
 */
import { Readable } from 'node:stream';
import { wrongLength } from '../upload-shape.ts';

/** Passes `body` on; throws `digest-mismatch` unless it has exactly `length` bytes. */
export async function* exactly(
  body: AsyncIterable<Uint8Array>,
  number: number,
  length: number,
): AsyncGenerator<Uint8Array, void> {
  let held: Uint8Array | undefined;
  let received = 0;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    received += chunk.length;
    if (received > length) throw wrongLength(number, `more than ${length}`, length);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (received < length) throw wrongLength(number, received, length);
  if (held !== undefined) yield held;
}

/** A request's body whose failure ends the request. */
export interface PartBody {
  readonly stream: Readable;
  readonly signal: AbortSignal;
  /** What the sender threw, or what was wrong with its bytes; undefined if all was well. */
  failure(): { readonly error: unknown } | undefined;
  /** To be called when the request has ended. */
  close(): void;
}

/**
 * The body of a request for part `number`. The stream itself never fails: the SDK passes it
 * through others on which nobody listens for errors, and the process would end. On a failure
 * it falls silent, and the signal ends the request.
 *
 * The signal also ends a request whose server takes no more bytes, or gives no answer after
 * the last, for `stallMs`. How long the sender takes is another's to judge.
 */
export function partBody(
  body: AsyncIterable<Uint8Array>,
  number: number,
  length: number,
  stallMs: number,
): PartBody {
  const controller = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  let stall: ReturnType<typeof setTimeout> | undefined;
  const watched = async function* (): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const chunk of exactly(body, number, length)) {
        stall = setTimeout(() => controller.abort(), stallMs);
        yield chunk;
        clearTimeout(stall);
      }
    } catch (error) {
      failure = { error };
      controller.abort();
      await new Promise(() => {});
    }
    stall = setTimeout(() => controller.abort(), stallMs);
  };
  const stream = Readable.from(watched(), { objectMode: false });
  return {
    stream,
    signal: controller.signal,
    failure: () => failure,
    close() {
      clearTimeout(stall);
      stream.destroy(); // and with it what the sender has not sent yet
    },
  };
}
