/** The page that says how the server stands. */
import { readVersion } from '../version.ts';
import { STATUS_PAGE } from './addresses.ts';
import type { AddPage } from './send.ts';
import { StatusBoard, type StatusParts } from './status-board.ts';
import { statusView } from './views/status.ts';

export type StatusPageParts = StatusParts & { readonly origin: string };

export function addStatusPage(page: AddPage, parts: StatusPageParts): void {
  const board = new StatusBoard(parts);
  const version = readVersion();
  const { origin } = parts;
  page(STATUS_PAGE, async () => {
    return statusView({ origin, version, standing: await board.standing() });
  });
}
