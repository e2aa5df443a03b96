/**
 * Sends the report of an evaluation that is not public yet. Whoever wrote it chose its bytes, so no
 * browser shows them as a page of ours; and it is for whoever asked, so nobody keeps it on its way.
 */
import type { Response } from 'express';

export function sendReport(response: Response, report: Uint8Array): void {
  response
    .set('Cache-Control', 'no-store')
    .set('Cross-Origin-Resource-Policy', 'same-origin')
    .attachment('report')
    .type('application/octet-stream')
    .send(Buffer.from(report));
}
