/** Another registry, or another server of this one, by its public API; also a mirror of the log. */
import { Api } from '../../client/api.ts';
import { parseRegistryUrl } from '../../client/http.ts';
import { type Pauses, withRetries } from '../../client/retry.ts';
import { parseBase64 } from '../../core/bytes.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import type { Entry, EntryOf } from '../../core/log/entry.ts';
import type { DocumentName } from '../../core/release/documents.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { parseBundle } from '../../core/statement/bundle.ts';
import { type Envelope, envelopeFromJson, formatEnvelope } from '../../core/statement/dsse.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { ByteRange } from '../../store/contract.ts';
import { RangeConnection } from '../../transfer/download/connection.ts';
import type { FilePlace, RepairSource, StatementPlace } from './source.ts';

/** Bytes that are asked for at once, and held in memory. */
const BLOCK_BYTES = 8 * 2 ** 20;

export interface RegistrySourceOptions {
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  readonly pauses?: Pauses;
  /** Is told why the registry keeps back what it has: a repair goes on with the next source. */
  readonly onRefused?: (why: string) => void;
}

/** Throws `usage` for what is no address of a registry, and `network` for one that does not answer: nothing is lost yet. */
export async function openRegistrySource(
  url: string,
  options: RegistrySourceOptions,
): Promise<RepairSource> {
  const { token, signal, pauses, onRefused = () => {} } = options;
  const api = new Api({ url: parseRegistryUrl(url), token, ...(pauses && { pauses }) });
  await api.checkpoint({ signal });
  const connection = new RangeConnection();
  return {
    name: api.http.url,
    tile: (path) => ifThere(() => api.tile(path, { signal })),
    root: (version) => ifThere(() => api.root(version, { signal })),
    statement: (digest, place) => ifThere(() => readStatement(api, digest, place, signal)),
    modelSig: (release) => ifThere(() => api.document(release, 'model.sig', { signal })),
    report: (release, digest) => ifThere(() => api.report(release, digest, { signal })),
    chunkList: async (_, place) =>
      place && ifThere(() => api.chunkList(place.release, place.file.path, { signal })),
    content: async (_, place, range) =>
      place && telling(onRefused, readContent(api, connection, place, range, signal)),
    close: () => connection.close(),
  };
}

/** Undefined for what the registry does not have, or has lost itself. */
async function ifThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const isAbsent = ['not-found', 'storage', 'damaged'].some(
      (code) => isCoded(error) && error.code === code,
    );
    if (isAbsent) return undefined;
    throw error;
  }
}

async function* telling(
  onRefused: (why: string) => void,
  bytes: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    if (isCoded(error, 'not-authorised')) onRefused(error.message);
    throw error;
  }
}

async function readStatement(
  api: Api,
  digest: Digest,
  place: StatementPlace | undefined,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (place === undefined) return undefined;
  if ('inventoryOf' in place) return api.document(place.inventoryOf, 'tensors.json', { signal });
  const candidates = await candidatesOf(api, digest, place.entry, place.index, signal);
  return candidates.find((bytes) => digestOf(nodeHost, bytes) === digest);
}

/** All that the API shows for an entry and that the digest may be of. */
async function candidatesOf(
  api: Api,
  digest: Digest,
  entry: Entry,
  index: number,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  switch (entry.kind) {
    case 'release':
      return [await releaseStatement(api, digest, entry, signal)];
    case 'namespace':
    case 'policy': {
      const { policy, signed } = await api.policy(entry.namespace, index, { signal });
      return [policy, ...signed].map((text) => parseBase64(text));
    }
    case 'advisory':
      return [parseBase64((await api.advisory(index, { signal })).envelope)];
    case 'announcement': {
      const { envelope } = await api.announcement(index, { signal });
      return [envelopeBytes(envelopeFromJson(envelope, 'the announcement'))];
    }
    case 'void': {
      const { signed } = await api.voided(index, { signal });
      const envelopes = signed.map((each) => envelopeFromJson(each, 'the void'));
      return envelopes.flatMap((envelope) => [envelope.payload, envelopeBytes(envelope)]);
    }
    default:
      return [];
  }
}

async function releaseStatement(
  api: Api,
  digest: Digest,
  entry: EntryOf<'release'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const release = parseReleaseName(entry.release);
  if (digest === entry.model_sig) {
    const bundle = parseBundle(await api.document(release, 'model.sig', { signal }));
    return envelopeBytes(bundle.envelope);
  }
  const names: readonly (readonly [Digest | undefined, DocumentName])[] = [
    [entry.digest, 'manifest.json'],
    [entry.release_dsse, 'release.dsse'],
    [entry.decisions, 'decisions.json'],
    [entry.verdict, 'verdict.dsse'],
    [entry.intent, 'intent.dsse'],
  ];
  const [, name = 'manifest.json' as const] = names.find(([named]) => named === digest) ?? [];
  return api.document(release, name, { signal });
}

/** Block after block; each is asked for again when the network fails. */
async function* readContent(
  api: Api,
  connection: RangeConnection,
  { release, file }: FilePlace,
  { offset, length }: ByteRange,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { http } = api;
  const request = { url: api.fileUrl(release, file.path), token: http.token, size: file.size };
  let location: string | undefined;
  for (let at = offset; at < offset + length; at += BLOCK_BYTES) {
    const range = { offset: at, length: Math.min(BLOCK_BYTES, offset + length - at) };
    // A block's memory is the store's until it has written it: each gets its own.
    const block = new Uint8Array(range.length);
    const read = async () => {
      let filled = 0;
      location = await connection.read({ ...request, location, range }, (bytes) => {
        block.set(bytes, filled);
        filled += bytes.length;
      });
    };
    await withRetries(read, http.pauses, signal);
    yield block;
  }
}

function envelopeBytes({ payloadType, payload, signature }: Envelope): Uint8Array {
  return formatEnvelope(payloadType, payload, signature);
}
