/** When nobody waits for an answer any more. */
import type { Response } from 'express';

const signals = new WeakMap<Response, AbortSignal>();

/** Aborted when the connection ends before the answer has gone out whole. */
export function goneSignal(response: Response): AbortSignal {
  const known = signals.get(response);
  if (known !== undefined) return known;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  if (response.destroyed) gone.abort();
  signals.set(response, gone.signal);
  return gone.signal;
}
