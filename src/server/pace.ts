/**
 * Bodies that trickle, in or out. A client that sends or takes a byte a minute is never idle,
 * and would hold its connection and its place for ever.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** At least `bytes` in every `milliseconds`. */
export interface Pace {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Watches each request with a body, and cuts its connection when it falls behind `pace`. */
export function cutSlowUploads(pace: Pace) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (request.complete) return;
    let before = request.socket.bytesRead;
    const look = setInterval(() => {
      const now = request.socket.bytesRead;
      // Bytes that wait for us are no fault of the client's.
      const isWaitedFor = request.readableLength === 0 && !request.complete;
      if (isWaitedFor && now - before < pace.bytes) request.socket.destroy();
      before = now;
    }, pace.milliseconds);
    look.unref();
    request.once('close', () => clearInterval(look));
    response.once('close', () => clearInterval(look));
  };
}

/** Watches each answer, and cuts the connection when its reader falls behind `pace` while bytes wait for it. */
export function cutSlowReaders(pace: Pace) {
  return ({ socket }: IncomingMessage, response: ServerResponse): void => {
    // What lies in the socket was written, and not taken.
    const taken = () => socket.bytesWritten - socket.writableLength;
    let before = taken();
    let waited = false;
    const look = setInterval(() => {
      const now = taken();
      const waits = socket.writableLength > 0;
      // Bytes that came to wait a moment ago say nothing of their reader yet.
      if (waits && waited && now - before < pace.bytes) socket.destroy();
      before = now;
      waited = waits;
    }, pace.milliseconds);
    look.unref();
    response.once('close', () => clearInterval(look));
  };
}
