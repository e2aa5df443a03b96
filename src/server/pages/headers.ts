/** The headers of a page: a browser runs our scripts alone, and nothing that anybody has written into a release. */
import type { Response } from 'express';
import { headersSetBy } from '../security-headers.ts';

const PAGE_HEADERS = headersSetBy({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      workerSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ['weighhouse'],
    },
  },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  crossOriginOpenerPolicy: { policy: 'same-origin' },
  referrerPolicy: { policy: 'same-origin' },
});

export function setPageHeaders(response: Response): void {
  for (const [name, value] of PAGE_HEADERS) response.setHeader(name, value);
}
