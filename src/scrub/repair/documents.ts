/**
 * Small objects, found again: statements, chunk lists, trust roots, the checkpoint, what opens
 * a commitment. Whatever a source answers is held against what it must be; one that cannot be
 * asked, or lies, is passed over for the next.
 */
import { formatBase64 } from '../../core/bytes.ts';
import { type Digest, digestOf, parseDigest } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { chunkRoot, chunkSizeFor } from '../../core/release/chunks.ts';
import { parseDecisions } from '../../core/release/decisions.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { formatEnvelope } from '../../core/statement/dsse.ts';
import { checkRoot } from '../../core/trust/succession.ts';
import { loadLock } from '../../log/lock.ts';
import { bindingForm } from '../../registry/documents/content.ts';
import type { DamageRecord, DueBy } from '../../registry/documents/damage.ts';
import { decisionForm } from '../../registry/documents/decision.ts';
import { load } from '../../registry/documents/form.ts';
import { formatKept } from '../../registry/documents/signature.ts';
import { type Key, keys } from '../../store/keys.ts';
import { checkBundleBytes } from '../check/bundle.ts';
import { checkRootBytes } from '../check/check.ts';
import { type CheckParts, isProblem, readSmall } from '../check/parts.ts';
import { checkSignature } from '../check/signature.ts';
import { kindOf } from '../kinds.ts';
import type { Made } from './content.ts';
import { findPlaces, type Places, type Wanted } from './places.ts';
import type { RepairSource } from './source.ts';

/** Bytes that were found for a small object, and where. */
export interface Found {
  readonly bytes: Uint8Array;
  readonly made: Made;
}

/** All that is damaged: where it is named is found in one walk. */
export type Damaged = readonly { readonly object: Key; readonly record?: DamageRecord }[];

export class Documents {
  readonly #sources: readonly RepairSource[];
  readonly #all: Damaged;
  #places: Promise<Places> | undefined;

  constructor(sources: readonly RepairSource[], all: Damaged) {
    this.#sources = sources;
    this.#all = all;
  }

  /** Out of the content itself, where that is whole; else from a source. */
  async chunkList(parts: CheckParts, { root, size }: DueBy<'chunks'>): Promise<Found | undefined> {
    const places = (await this.places(parts)).files.get(root) ?? [];
    const isRight = (bytes: Uint8Array) => chunkRoot(parts.host, bytes) === root;
    for (const { file } of places) {
      const bytes = await ownChunks(parts, file.sha256, size);
      if (bytes && isRight(bytes)) return { bytes, made: { from: ['the content'], fetched: 0 } };
    }
    for (const place of places.length === 0 ? [undefined] : places) {
      const found = await this.#ask((source) => source.chunkList(root, place), isRight);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async statement(parts: CheckParts, object: Key, digest: Digest): Promise<Found | undefined> {
    const isRight = (bytes: Uint8Array) => digestOf(parts.host, bytes) === digest;
    const kind = kindOf(object);
    if (kind === 'root') {
      const version = Number(object.slice('root/'.length));
      return this.#ask(async (source) => source.root?.(version), isRight);
    }
    const places = await this.places(parts);
    if (kind !== 'report') {
      const place = places.statements.get(digest);
      return this.#ask((source) => source.statement(digest, place), isRight);
    }
    return this.#report(places, object, isRight);
  }

  async #report(
    places: Places,
    object: Key,
    isRight: (bytes: Uint8Array) => boolean,
  ): Promise<Found | undefined> {
    const [, , namespace = '', hex = ''] = object.split('/');
    const digest = parseDigest(`sha256:${hex}`);
    for (const release of places.revealing.get(namespace) ?? []) {
      const found = await this.#ask(async (source) => source.report?.(release, digest), isRight);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async root(parts: CheckParts, version: number): Promise<Found | undefined> {
    const found = await this.#ask(
      async (source) => source.root?.(version),
      async (bytes) =>
        (await checkRootBytes(parts, version, bytes)) === undefined &&
        (version > 1 || (await signsTheLog(parts, bytes))),
    );
    return found;
  }

  /**
   * The committed checkpoint is the newest there is, so nobody is shown an older tree than
   * before. Where witnesses have to sign what is public, a server publishes it again.
   */
  async checkpoint(parts: CheckParts, object: Key): Promise<Found | undefined> {
    const { store, trust } = parts;
    if (object !== keys.checkpoint() || trust === undefined) return undefined;
    if (trust.witnessPolicy !== undefined) {
      throw new CodedError(
        'storage',
        `${object} needs its witnesses’ signatures: delete it, and the next server that starts publishes it again`,
      );
    }
    const lock = await loadLock(store);
    if (lock === undefined || checkSignature(parts, object, lock.checkpoint)) return undefined;
    return { bytes: lock.checkpoint, made: { from: [keys.lock()], fetched: 0 } };
  }

  /** What a published release shows of its decisions opens their commitments. */
  async opening(parts: CheckParts, { index }: DueBy<'opening'>): Promise<Found | undefined> {
    const entry = await parts.log?.entry(index);
    if (entry?.kind !== 'commitment') return undefined;
    for (const digest of (await this.places(parts)).decisions) {
      const bytes = await readSmall(parts, keys.statement(digest));
      if (isProblem(bytes) || digestOf(parts.host, bytes) !== digest) continue;
      const shown = parseDecisions(bytes).decisions.find(({ label }) => label === entry.label);
      if (shown === undefined) continue;
      const { label, salt, envelope } = shown;
      const sealed = formatEnvelope(envelope.payloadType, envelope.payload, envelope.signature);
      const right = decisionForm.format({ v: 1, label, salt, envelope: formatBase64(sealed) });
      return { bytes: right, made: { from: [keys.statement(digest)], fetched: 0 } };
    }
    return undefined;
  }

  /** The first right answer of a source. One that cannot be asked, or lies, is passed over. */
  async #ask(
    ask: (source: RepairSource) => Promise<Uint8Array | undefined>,
    isRight: (bytes: Uint8Array) => boolean | Promise<boolean>,
  ): Promise<Found | undefined> {
    for (const source of this.#sources) {
      try {
        const bytes = await ask(source);
        if (bytes === undefined || !(await isRight(bytes))) continue;
        return { bytes, made: { from: [source.name], fetched: bytes.length } };
      } catch (error) {
        if (!isCoded(error) || error.code === 'interrupted') throw error;
      }
    }
    return undefined;
  }

  /** The signature with its proof: any that the log bears out is as good as the one that was shown. */
  async modelSig(parts: CheckParts, index: number): Promise<Found | undefined> {
    const entry = await parts.log?.entry(index);
    if (entry?.kind !== 'release') return undefined;
    const release = parseReleaseName(entry.release);
    const found = await this.#ask(
      async (source) => source.modelSig?.(release),
      async (bytes) => (await checkBundleBytes(parts, entry, index, bytes)) === undefined,
    );
    return found && { ...found, bytes: formatKept(parts.host, found.bytes) };
  }

  /** Where all that is damaged is named, as far as the log and the manifests can be read. */
  places(parts: CheckParts): Promise<Places> {
    this.#places ??= findPlaces(parts, wantedOf(this.#all));
    return this.#places;
  }

  /** Something was repaired: more may be known. */
  forget(): void {
    this.#places = undefined;
  }
}

/** The chunk list of content that is whole here. */
async function ownChunks(
  { store, hashing, signal }: CheckParts,
  sha256: Digest,
  size: number,
): Promise<Uint8Array | undefined> {
  const binding = await load(store, keys.digest(sha256), bindingForm).catch(() => undefined);
  if (binding === undefined) return undefined;
  const key = keys.blob(binding.value.blob);
  const plan = { size, whole: true, chunkSize: chunkSizeFor(size) } as const;
  try {
    const hashes = await hashing.hashBytes(await store.read(key), plan, { name: key, signal });
    return hashes.sha256 === sha256 ? hashes.chunks : undefined;
  } catch (error) {
    if (isCoded(error, 'interrupted')) throw error;
    return undefined;
  }
}

/** Version 1 has nobody before it: its log key must be the one that has signed the log. */
async function signsTheLog({ store, host }: CheckParts, bytes: Uint8Array): Promise<boolean> {
  const checked = await checkRoot(host, bytes);
  if (!checked.ok) return false;
  const lock = await store.get(keys.lock());
  return (
    lock !== undefined &&
    checkSignature({ trust: checked.root }, keys.lock(), lock.bytes) === undefined
  );
}

function wantedOf(all: Damaged): Wanted {
  const statements = new Set<Digest>();
  const contents = new Set<Digest>();
  const chunks = new Set<Digest>();
  for (const { record } of all) {
    const due = record?.due;
    if (due?.by === 'digest') statements.add(due.digest);
    if (due?.by === 'content' || due?.by === 'binding') contents.add(due.sha256);
    if (due?.by === 'chunks') chunks.add(due.root);
  }
  return { statements, contents, chunks };
}
