/** The headers of every answer that keep a browser from doing more with it than to show or keep it. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/** Nothing here is a page: no script, no frame, no form. Weights and JSON may be read from any origin. */
const protect = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginResourcePolicy: { policy: 'cross-origin' },
});

/** Names and values. They are the same for every request, so helmet is asked once. */
export const SECURITY_HEADERS: readonly (readonly [name: string, value: string])[] = setBy(protect);

function setBy(middleware: typeof protect): [string, string][] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  middleware(response.req, response, (error) => {
    if (error !== undefined) throw error;
  });
  const headers = Object.entries(response.getHeaders());
  return headers.map(([name, value]) => [name, String(value)]);
}
