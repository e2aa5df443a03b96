/**
 * Uploads: the bytes of one file on their way in, part by part, in parallel and in any order.
 * A part is a chunk of the file, so its digest is a line of the chunk list, and once all
 * parts are there the list is held against the root that was declared.
 *
 * The bytes go to a blob whose random name is the upload's; only the server completes it.
 * What is known of an upload lies in the store, so that any process can go on with it.
 */
import { createHash } from 'node:crypto';
import { concat } from '../core/bytes.ts';
import { type Digest, digestBytes, formatDigest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { inParallel } from '../core/parallel.ts';
import { chunkCount, chunkRange, chunkRoot } from '../core/release/chunks.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { UploadId } from '../store/contract.ts';
import { keys, prefixes } from '../store/keys.ts';
import type { Chores } from './chores.ts';
import { Contents } from './content.ts';
import type { DraftFile } from './documents/file.ts';
import { createOnce, load } from './documents/form.ts';
import { partForm, type Upload, type UploadedPart, uploadForm } from './documents/upload.ts';
import type { RegistryParts } from './parts.ts';
import type {
  DeclaredFile,
  FileTicket,
  NamedPart,
  PartToPut,
  SentPart,
  SignedParts,
} from './registry.ts';

/** Small documents that are read or removed at the same time. */
const PARALLEL = 16;
/**
 * Seconds for which a signed request to put a part is good. Stores look at the clock when the
 * request begins; who is slower asks for another.
 */
export const PART_SECONDS = 300;

export class Uploads {
  readonly #parts: RegistryParts;
  readonly #contents: Contents;
  readonly #chores: Chores;

  constructor(parts: RegistryParts, chores: Chores) {
    this.#parts = parts;
    this.#contents = new Contents(parts);
    this.#chores = chores;
  }

  /** Begins to take in the bytes of `file`; resolves to the upload's name. */
  async begin(release: ReleaseName, file: DeclaredFile): Promise<string> {
    const { store } = this.#parts;
    const { path, size } = file;
    const partSize = file.chunks.size;
    const name = this.#contents.drawBlob();
    const id = await store.beginUpload(keys.blob(name), { size, partSize });
    const upload = { v: 1, release: formatReleaseName(release), path, id, size, partSize } as const;
    await createOnce(store, keys.upload(name), uploadForm, upload);
    return name;
  }

  /** The upload of that name for this release. Throws `not-found` for those of others too. */
  async get(release: ReleaseName, name: string): Promise<Upload> {
    const held = await load(this.#parts.store, keys.upload(name), uploadForm);
    if (held?.value.release === formatReleaseName(release)) return held.value;
    throw new CodedError(
      'not-found',
      `${formatReleaseName(release)} has no such upload; declare the file again`,
    );
  }

  /** What is left to send. */
  async ticket(name: string, file: DeclaredFile): Promise<FileTicket> {
    const parts = (await this.#partsOf(name)).map(({ number, sha256 }) => ({ number, sha256 }));
    const { direct } = this.#parts;
    const partSize = file.chunks.size;
    return { state: 'upload', upload: name, partSize, parts, ...(direct && { direct: true }) };
  }

  /** Takes one part in. A part that is there already is not read again. */
  async putPart(upload: Upload, part: PartToPut, body: AsyncIterable<Uint8Array>): Promise<void> {
    requireLength(upload, part);
    const { store } = this.#parts;
    const key = keys.uploadPart(part.upload, part.number);
    const there = await load(store, key, partForm);
    if (there !== undefined) {
      requireSame(upload, there.value, part);
      return;
    }
    const blob = keys.blob(part.upload);
    const checked = checkedPart(upload, part, body);
    const id = upload.id as UploadId;
    const { number, sha256 } = part;
    const { tag } = await store.putPart(blob, id, part.number, part.length, checked, sha256);
    const noted = await store.create(key, partForm.format({ v: 1, number, tag, sha256 }));
    if (noted === 'exists') await this.#settle(upload, part);
  }

  /** Signs requests by which the client puts parts into the store by itself. */
  async signParts(upload: Upload, name: string, parts: readonly NamedPart[]): Promise<SignedParts> {
    const { direct } = this.#parts;
    if (direct === undefined) {
      throw new CodedError('conflict', 'this registry takes parts itself: declare the file again');
    }
    const shapes = parts.map(({ number, sha256 }) => {
      return { number, sha256, length: lengthOf(upload, number) };
    });
    const id = upload.id as UploadId;
    const requests = await direct.signParts(keys.blob(name), id, shapes, PART_SECONDS);
    return { requests, seconds: PART_SECONDS };
  }

  /**
   * Notes parts that the client says it has put into the store. A tag that is not the part's
   * is found when the upload is completed, and other bytes when they are read back.
   */
  async noteParts(upload: Upload, name: string, parts: readonly SentPart[]): Promise<void> {
    await inParallel(parts, PARALLEL, async (part) => {
      lengthOf(upload, part.number);
      const { number, sha256, tag } = part;
      const key = keys.uploadPart(name, number);
      const record = partForm.format({ v: 1, number, tag, sha256 });
      for (;;) {
        if ((await this.#parts.store.create(key, record)) === 'created') return;
        const there = (await load(this.#parts.store, key, partForm))?.value;
        if (there !== undefined) requireSame(upload, there, part);
        if (there?.tag === tag) return;
        // The same bytes, put once more: the store knows them by their newer tag.
        await this.#parts.store.delete(key);
      }
    });
  }

  /**
   * Makes the blob out of all its parts and stores its chunk list. Throws `conflict` when a
   * part is missing, `digest-mismatch` when the parts do not make the declared chunk root.
   */
  async complete(upload: Upload, name: string, root: Digest): Promise<void> {
    const { store, host } = this.#parts;
    const parts = await this.#partsOf(name);
    requireAll(upload, parts);
    const list = concat(...parts.map(({ sha256 }) => digestBytes(sha256)));
    if (chunkRoot(host, list) !== root) {
      throw new CodedError(
        'digest-mismatch',
        `${upload.path}: the parts that were sent do not make the chunk root that was declared; declare the file anew and send it again`,
        { path: upload.path },
      );
    }
    try {
      await store.completeUpload(keys.blob(name), upload.id as UploadId, parts);
    } catch (error) {
      await this.#forgetMissing(name, error);
      throw error;
    }
    await store.create(keys.chunks(root), list);
  }

  /**
   * Gives back the space of bytes that `file`, as it stood until now, was the last to name: an
   * upload on its way, or a blob that no digest is bound to. A blob that a seal has read may be
   * bound at any moment (`read-back.ts`): it goes only when its digest is bound to another.
   */
  letGo({ content, sha256 }: DraftFile): void {
    if (content.state === 'missing') return;
    this.#chores.begin(async () => {
      if (content.state === 'uploading') return this.#abandon(content.upload);
      const binding = await this.#contents.find(sha256);
      const isOrphan = binding ? binding.blob !== content.blob : content.verified === undefined;
      if (isOrphan) await this.#abandon(content.blob);
    });
  }

  /** Removes what was noted of uploads that are complete and sealed. */
  forget(names: readonly string[]): void {
    this.#chores.begin(() => inParallel(names, PARALLEL, (name) => this.#removeRecords(name)));
  }

  /**
   * Another sender of the same part was noted first. If it had other bytes, nobody knows whose
   * the store has now: the part counts as missing.
   */
  async #settle(upload: Upload, part: PartToPut): Promise<void> {
    const { store } = this.#parts;
    const key = keys.uploadPart(part.upload, part.number);
    if ((await load(store, key, partForm))?.value.sha256 === part.sha256) return;
    await store.delete(key);
    throw new CodedError(
      'conflict',
      `part ${part.number} of ${upload.path} was sent twice at the same time, with different bytes; send it again`,
      { path: upload.path, part: part.number },
    );
  }

  /** What the store does not have, whatever was noted, is asked for again. */
  async #forgetMissing(name: string, error: unknown): Promise<void> {
    if (!isCoded(error, 'conflict') || typeof error.details.part !== 'number') return;
    await this.#parts.store.delete(keys.uploadPart(name, error.details.part));
  }

  /** Removes an upload with its parts, or the blob that it has become. */
  async #abandon(name: string): Promise<void> {
    const { store } = this.#parts;
    const held = await load(store, keys.upload(name), uploadForm);
    if (held !== undefined) await store.abortUpload(keys.blob(name), held.value.id as UploadId);
    await store.delete(keys.blob(name));
    await this.#removeRecords(name);
  }

  async #removeRecords(name: string): Promise<void> {
    const { store } = this.#parts;
    for await (const key of store.list(prefixes.uploadParts(name))) await store.delete(key);
  }

  /** The parts that have come, by number. */
  async #partsOf(name: string): Promise<UploadedPart[]> {
    const { store } = this.#parts;
    const records = [];
    for await (const key of store.list(prefixes.uploadParts(name))) {
      if (key !== keys.upload(name)) records.push(key);
    }
    const parts = await inParallel(records, PARALLEL, (key) => load(store, key, partForm));
    return parts.flatMap((part) => part?.value ?? []).sort((a, b) => a.number - b.number);
  }
}

/** The part's bytes; fails at their end, before the store takes the part for good, if they are others. */
async function* checkedPart(
  upload: Upload,
  part: PartToPut,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  for await (const bytes of body) {
    hash.update(bytes);
    yield bytes;
  }
  const found = formatDigest(hash.digest());
  if (found === part.sha256) return;
  throw new CodedError(
    'digest-mismatch',
    `part ${part.number} of ${upload.path} has the digest ${found}, not ${part.sha256}; send it again`,
    { path: upload.path, part: part.number },
  );
}

/** Bytes of part `number`. Throws `bad-document` for a part that the upload does not have. */
function lengthOf({ path, size, partSize }: Upload, number: number): number {
  const count = chunkCount(size, partSize);
  if (!Number.isSafeInteger(number) || number < 1 || number > count) {
    throw new CodedError('bad-document', `${path} has parts 1 to ${count}, not ${number}`);
  }
  return chunkRange(size, partSize, number - 1).length;
}

function requireLength(upload: Upload, { number, length }: PartToPut): void {
  const wanted = lengthOf(upload, number);
  if (length === wanted) return;
  throw new CodedError(
    'digest-mismatch',
    `part ${number} of ${upload.path} must have ${wanted} bytes, not ${length}`,
    { path: upload.path, part: number },
  );
}

/** Parts never change: whoever wants to send other bytes declares the file anew. */
function requireSame(upload: Upload, there: UploadedPart, part: NamedPart): void {
  if (there.sha256 === part.sha256) return;
  throw new CodedError(
    'conflict',
    `part ${part.number} of ${upload.path} is there with another digest; complete the upload to have it judged`,
    { path: upload.path, part: part.number },
  );
}

function requireAll(upload: Upload, parts: readonly UploadedPart[]): void {
  const count = chunkCount(upload.size, upload.partSize);
  for (let number = 1; number <= count; number++) {
    if (parts[number - 1]?.number === number) continue;
    throw new CodedError('conflict', `part ${number} of ${upload.path} is missing; send it`, {
      path: upload.path,
      part: number,
    });
  }
}
