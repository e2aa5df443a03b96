/** What deciding takes, from the command line: the pinned registry, its log, this person's receipts. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Means } from '../client/decide/desk.ts';
import { deskOf } from '../client/decide/registry-desk.ts';
import type { Reader } from '../client/release.ts';
import { pinOf } from '../client/trust.ts';
import { DiskReceipts } from '../transfer/receipts-disk.ts';
import { type Context, places } from './context.ts';
import { openApi, openApiWithToken, openReader } from './reach.ts';

/** Means, and the reader beneath them. */
export interface OpenMeans extends Means {
  readonly reader: Reader;
}

/** Opens the registry as a signer, who needs a token. Throws `untrusted` when it is not pinned. */
export async function openMeans(context: Context): Promise<OpenMeans> {
  return meansFor(context, await openReader(context, await openApiWithToken(context)));
}

/** As `openMeans`, for who only reads: a token is used where there is one. */
export async function openReadingMeans(context: Context): Promise<OpenMeans> {
  return meansFor(context, await openReader(context, await openApi(context)));
}

async function meansFor(context: Context, reader: Reader): Promise<OpenMeans> {
  const { signal, clock, config } = context;
  const { origin } = await pinOf(reader.api, reader.pins, signal);
  return {
    host: reader.host,
    desk: deskOf(reader, origin, signal),
    receipts: new DiskReceipts(places.receipts(config)),
    clock,
    random: () => randomBytes(32).toString('hex'),
    pause: async (ms) => void (await sleep(ms, undefined, { signal })),
    reader,
  };
}
