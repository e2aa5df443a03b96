/** The headers of every answer that keep a browser from doing more with it than to show or keep it. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet, { type HelmetOptions } from 'helmet';

/** Names and values. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** They are the same for every request, so helmet is asked once. */
export function headersSetBy(options: HelmetOptions): Headers {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  helmet(options)(response.req, response, (error) => {
    if (error !== undefined) throw error;
  });
  const headers = Object.entries(response.getHeaders());
  return headers.map(([name, value]) => [name, String(value)]);
}

/** For what is no page: no script, no frame, no form. Weights and JSON may be read from any origin. */
export const SECURITY_HEADERS: Headers = headersSetBy({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginResourcePolicy: { policy: 'cross-origin' },
});
