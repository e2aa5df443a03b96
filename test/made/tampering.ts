/** Documents with something changed in them, and how a verdict took it. */
import { CodedError } from '../../src/core/error.ts';

/** The code of a refusal, or of what was thrown; undefined when it was accepted. */
export async function refusedBy(
  verdict: () => Promise<unknown> | unknown,
): Promise<string | undefined> {
  try {
    const found = (await verdict()) as { ok: boolean; code?: string };
    return found.ok ? undefined : found.code;
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

/** Each copy of `bytes` with one byte changed; every `step`th. */
export function* changed(bytes: Uint8Array, step = 1): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) {
    const copy = bytes.slice();
    copy[at]! ^= 1 << (at % 8);
    yield copy;
  }
}
