/** What deciding takes, from the command line: the pinned registry, its log, this person's receipts. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Desk, Means } from '../client/decide/desk.ts';
import type { Reader } from '../client/release.ts';
import { pinOf } from '../client/trust.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { envelopeFromJson, formatEnvelope, parseEnvelope } from '../core/statement/dsse.ts';
import { DiskReceipts } from '../transfer/receipts-disk.ts';
import { type Context, places } from './context.ts';
import { openLog } from './open-log.ts';
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

/** A pinned registry as signers see it. */
export function deskOf(reader: Reader, origin: Origin, signal: AbortSignal): Desk {
  const { api } = reader;
  return {
    origin,
    async draft(release) {
      const { decisions, ...rest } = await api.decisions(release, { signal });
      const shown = decisions.map(({ index, label, envelope: json }) => {
        const { payloadType, payload, signature } = envelopeFromJson(json, 'a decision');
        return { index, label, envelope: formatEnvelope(payloadType, payload, signature) };
      });
      return { ...rest, decisions: shown };
    },
    manifest: (release) => api.draftManifest(release, { signal }),
    async log() {
      const { tree, size, note } = await openLog(reader, signal);
      return {
        size,
        note,
        root: tree.head.root,
        entry: (index) => tree.entry(index),
        proveInclusion: (index) => tree.proveInclusion(index),
      };
    },
    commit: async (commitment) => (await api.commit(commitment, { signal })).index,
    record: (release, { index, salt, envelope }) =>
      api.decide(release, { index, salt, envelope: parseEnvelope(envelope) }, { signal }),
  };
}
