/** What was begun and not ended, and what is known to be damaged. */

import type { Host } from '../../core/host.ts';
import { Damages } from '../../registry/damages.ts';
import { ORPHAN_DAYS, storeClock } from '../../scrub/orphans.ts';
import { Passes } from '../../scrub/pass.ts';
import type { Store } from '../../store/contract.ts';
import { type KeyPrefix, prefixes } from '../../store/keys.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Milliseconds after which a publish is no longer under way. */
const UNFINISHED_MS = 10 * 60_000;
/** Days after which a store should have been scrubbed again. */
const SCRUB_DAYS = 14;

export interface LeftoverParts {
  readonly store: Store;
  readonly host: Host;
  readonly clock: () => number;
  readonly random: () => string;
}

export async function checkLeftovers(parts: LeftoverParts): Promise<readonly Finding[]> {
  const now = await storeClock(parts);
  return [
    ...(await checkDamage(parts)),
    await checkIntents(parts, now),
    await checkUploads(parts, now),
  ];
}

async function checkDamage({ store, clock, random }: LeftoverParts): Promise<readonly Finding[]> {
  const damages = new Damages({ store, clock });
  const { size: count } = await damages.known();
  const pass = await new Passes({ store, clock, holder: random() }).read();
  const last = pass?.ended ?? undefined;
  const days = last === undefined ? undefined : Math.floor((clock() - Date.parse(last)) / DAY_MS);
  const isOld = days === undefined || days > SCRUB_DAYS;
  const when = last === undefined ? 'no scrub has ended yet' : `the last scrub ended on ${last}`;
  return [
    count === 0
      ? ok('damage', 'no object of the store is known to be damaged')
      : failed('damage', `${count} objects are damaged`, 'run "weighhouse repair --from DIR|URL"'),
    isOld
      ? warning('scrub', when, 'run "weighhouse scrub", or serve without --no-scrub')
      : ok('scrub', when),
  ];
}

async function checkIntents({ store }: LeftoverParts, now: number): Promise<Finding> {
  const old = await older(store, [prefixes.intents(), prefixes.unlogged()], now - UNFINISHED_MS);
  if (old === 0) return ok('intents', 'no publish and no seal was left in the middle');
  const todo = 'restart a server: it finishes them, and logs why where it cannot';
  return warning('intents', `${old} publishes or seals were begun and not finished`, todo);
}

async function checkUploads({ store }: LeftoverParts, now: number): Promise<Finding> {
  const old = await older(store, [prefixes.uploads()], now - ORPHAN_DAYS * DAY_MS);
  if (old === 0) return ok('uploads', `no upload is older than ${ORPHAN_DAYS} days`);
  const says = `${old} records of uploads are older than ${ORPHAN_DAYS} days`;
  return warning('uploads', says, 'see which are orphans with "weighhouse scrub", and remove them');
}

async function older(store: Store, folders: readonly KeyPrefix[], than: number): Promise<number> {
  let count = 0;
  for (const folder of folders) {
    for await (const key of store.list(folder)) {
      const stat = await store.stat(key);
      if (stat !== undefined && stat.modified < than) count++;
    }
  }
  return count;
}
