/**
 * Bodies that trickle. A client that sends a byte a minute is never idle, and would hold its
 * connection, its draft and a place among the uploads for ever.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** At least `bytes` in every `milliseconds`. */
export interface UploadPace {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Watches each request with a body, and cuts its connection when it falls behind `pace`. */
export function cutSlowUploads(pace: UploadPace) {
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
