/** How a route of pages is added, and how what it makes is sent. */
import { hash } from 'node:crypto';
import type { Request, Response, Router } from 'express';
import { named } from '../request-log.ts';
import { setPageHeaders } from './headers.ts';
import { layout, type Page, type Site } from './layout.ts';

/** Adds a page under its path. */
export type AddPage = (path: string, make: (request: Request) => Page | Promise<Page>) => void;

/** Adds pages under their template in logs and metrics; a GET answers HEAD, too. */
export function pageAdder(router: Router, site: Site): AddPage {
  return (path, make) => {
    router.get(path, named(templateOf(path)), async (request, response) => {
      const text = layout(site, await make(request)).toString();
      sendText(request, response, 'text/html; charset=utf-8', text);
    });
  };
}

/** `/-/log/:index` → `/-/log/{index}` */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

/** Sends what was made, unless the reader has this very text. */
export function sendText(request: Request, response: Response, type: string, text: string): void {
  setPageHeaders(response);
  response.set({
    'Cache-Control': 'public, max-age=0, must-revalidate',
    'Content-Type': type,
    ETag: `"${hash('sha256', text, 'hex').slice(0, 32)}"`,
  });
  if (request.fresh) response.status(304).end();
  else response.send(text);
}
