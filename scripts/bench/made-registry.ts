/**
 * A made registry on a thread of its own, over loopback: releases with a seal, an evaluation
 * and two approvals each. Says on which port it is, which root it shows and what time it has.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { isGated, type Requirements } from '../../src/core/release/requirements.ts';
import { Audited } from '../../test/made/audited.ts';
import { GatedNamespace } from '../../test/made/gated.ts';

/** Releases between two heads entries. */
const BETWEEN_HEADS = 25;

export interface MadeRegistryRequest {
  readonly gate: Requirements;
  readonly releases: number;
}

export interface ServedRegistry {
  readonly port: number;
  readonly root: Uint8Array;
  readonly now: number;
  readonly entries: number;
}

const { gate, releases } = workerData as MadeRegistryRequest;
const audited = new Audited();
const { made } = audited;
const space = new GatedNamespace(made, 'acme', gate);
for (let i = 1; i <= releases; i++) {
  const draft = space.draft(`model@v${i}`, `weights ${i}`);
  draft.seal();
  draft.evaluate('safety');
  draft.approve('rita');
  draft.approve('rob');
  if (isGated(gate)) draft.publish();
  else made.release(draft.prepared);
  if (i % BETWEEN_HEADS === 0 || i === releases) made.heads();
}

const server = createServer(({ url = '' }, response) => {
  const bytes = audited.answer(decodeURIComponent(url));
  response.writeHead(bytes === undefined ? 404 : 200);
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const root = audited.roots[0]!;
  const { now, entries } = made;
  parentPort!.postMessage({ port, root, now, entries: entries.length } satisfies ServedRegistry);
});
