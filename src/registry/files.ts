/**
 * The files of a draft: declared by their publisher, who hashed them before; uploaded in
 * parts, which are the file's chunks; stored when all parts have come. What was declared is
 * only believed at the seal, which reads every byte back.
 */
import { utf8 } from '../core/bytes.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { chunkRoot, chunkSizeFor } from '../core/release/chunks.ts';
import type { ReleaseName } from '../core/release/name.ts';
import { parseFilePath } from '../core/release/path.ts';
import { keys, prefixes } from '../store/keys.ts';
import { requireUploader } from './access.ts';
import { Contents } from './content.ts';
import { type DraftFile, fileForm, isStored, type StoredFile } from './documents/file.ts';
import { change, type Held, load } from './documents/form.ts';
import type { Upload } from './documents/upload.ts';
import type { Drafts } from './drafts.ts';
import type { RegistryParts } from './parts.ts';
import type { Amount, Quotas } from './quotas.ts';
import type { Readers } from './readers.ts';
import type {
  Caller,
  DeclaredFile,
  FileTicket,
  NamedPart,
  PartToPut,
  SentPart,
  SignedParts,
} from './registry.ts';
import type { Uploads } from './uploads.ts';

const NOTHING = new Uint8Array(0);

export class Files {
  readonly #parts: RegistryParts;
  readonly #drafts: Drafts;
  readonly #uploads: Uploads;
  readonly #quotas: Quotas;
  readonly #readers: Pick<Readers, 'restriction'>;
  readonly #contents: Contents;

  constructor(
    parts: RegistryParts,
    rooms: {
      readonly drafts: Drafts;
      readonly uploads: Uploads;
      readonly quotas: Quotas;
      readonly readers: Pick<Readers, 'restriction'>;
    },
  ) {
    this.#parts = parts;
    this.#drafts = rooms.drafts;
    this.#uploads = rooms.uploads;
    this.#quotas = rooms.quotas;
    this.#readers = rooms.readers;
    this.#contents = new Contents(parts);
  }

  /** Says what a file of the draft is, and learns what of it is still to be sent. */
  async declare(caller: Caller, release: ReleaseName, file: DeclaredFile): Promise<FileTicket> {
    requireUploader(caller, release);
    requireDeclaration(this.#parts, file);
    await this.#drafts.get(release);
    const reopen = async () => void (await this.#drafts.reopen(caller, release));
    for (;;) {
      const held = await this.#load(release, file.path);
      const known = held && (await this.#ticketFor(held.value, file, reopen));
      if (known !== undefined) return known;
      await reopen();
      const ticket = await this.#beginCounted(release, file, held);
      if (ticket !== undefined) return ticket;
      // Somebody else declared the same path meanwhile.
    }
  }

  /** Takes in one part of an upload. */
  async putPart(
    caller: Caller,
    release: ReleaseName,
    part: PartToPut,
    body: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const put = (upload: Upload) => this.#uploads.putPart(upload, part, body);
    await this.#intoUpload(caller, release, part.upload, put);
  }

  /** Signs requests by which the client puts parts into the store by itself. */
  signParts(
    caller: Caller,
    release: ReleaseName,
    name: string,
    parts: readonly NamedPart[],
  ): Promise<SignedParts> {
    const sign = (upload: Upload) => this.#uploads.signParts(upload, name, parts);
    return this.#intoUpload(caller, release, name, sign);
  }

  /** Notes parts that the client has put into the store by itself. */
  async noteParts(
    caller: Caller,
    release: ReleaseName,
    name: string,
    parts: readonly SentPart[],
  ): Promise<void> {
    const note = (upload: Upload) => this.#uploads.noteParts(upload, name, parts);
    await this.#intoUpload(caller, release, name, note);
  }

  /** Says that all parts of an upload were sent: the file is then stored. Twice is the same as once. */
  async complete(caller: Caller, release: ReleaseName, name: string): Promise<StoredFile> {
    requireUploader(caller, release);
    const upload = await this.#uploads.get(release, name);
    const file = await this.find(release, upload.path);
    if (file === undefined || !isUploadOf(name, file)) throw superseded(upload.path);
    if (isStored(file)) return file;
    await this.#requireOpen(release);
    try {
      await this.#uploads.complete(upload, name, file.chunks.root);
    } catch (error) {
      const isLost = isCoded(error, 'digest-mismatch') || isCoded(error, 'not-found');
      if (isLost) await this.drop(release, file);
      throw error;
    }
    const stored = await this.changeContent(release, file, { state: 'stored', blob: name });
    if (!isStored(stored) || !isUploadOf(name, stored)) throw superseded(upload.path);
    return stored;
  }

  /** Gives up the bytes of a file that are not what was declared; they have to be sent again. */
  async drop(release: ReleaseName, file: DraftFile): Promise<void> {
    const missing = { state: 'missing' } as const;
    const { was, is } = await this.#changeContent(release, file, missing);
    if (is.content === missing) this.#uploads.letGo(was);
  }

  /** Removes what was noted of the upload into a blob that another one took the place of. */
  forgetUpload(name: string): void {
    this.#uploads.forget([name]);
  }

  /** Gives up all bytes of a draft that was withdrawn. */
  async dropAll(release: ReleaseName): Promise<void> {
    for await (const key of this.#parts.store.list(prefixes.draftFiles(release))) {
      const file = await load(this.#parts.store, key, fileForm);
      if (file !== undefined) await this.drop(release, file.value);
    }
  }

  /** The file at `path` as it was declared last, or undefined. */
  async find(release: ReleaseName, path: string): Promise<DraftFile | undefined> {
    return (await this.#load(release, path))?.value;
  }

  /** Changes what is known of the content of a file, unless it was declared anew meanwhile. */
  async changeContent(
    release: ReleaseName,
    file: DraftFile,
    content: DraftFile['content'],
  ): Promise<DraftFile> {
    return (await this.#changeContent(release, file, content)).is;
  }

  /** Resolves to the file before and after; `content` is in force if it is the one in `is`. */
  async #changeContent(
    release: ReleaseName,
    file: DraftFile,
    content: DraftFile['content'],
  ): Promise<{ readonly was: DraftFile; readonly is: DraftFile }> {
    const key = keys.draftFile(release, this.#pathDigest(file.path));
    let was = file;
    const is = await change(this.#parts.store, key, fileForm, (current) => {
      if (current === undefined) throw new CodedError('not-found', `${file.path} is not declared`);
      was = current;
      return isSameContent(current.content, file.content) ? { ...current, content } : current;
    });
    return { was, is };
  }

  /** Does what fills an upload, for who may. */
  async #intoUpload<T>(
    caller: Caller,
    release: ReleaseName,
    name: string,
    act: (upload: Upload) => Promise<T>,
  ): Promise<T> {
    requireUploader(caller, release);
    await this.#requireOpen(release);
    const upload = await this.#uploads.get(release, name);
    try {
      return await act(upload);
    } catch (error) {
      if (isCoded(error, 'not-found')) await this.#dropForgotten(release, upload.path, name);
      throw error;
    }
  }

  /** The store has no such upload any more (a bucket's rule may drop old ones): the next declaration begins another. */
  async #dropForgotten(release: ReleaseName, path: string, upload: string): Promise<void> {
    const file = await this.find(release, path);
    if (file?.content.state !== 'uploading' || file.content.upload !== upload) return;
    // Completed meanwhile: then it is not lost.
    if ((await this.#parts.store.size(keys.blob(upload))) !== undefined) return;
    await this.drop(release, file);
  }

  /** What the file that is there already makes of the declaration; undefined when it must begin anew. */
  async #ticketFor(
    there: DraftFile,
    file: DeclaredFile,
    reopen: () => Promise<void>,
  ): Promise<FileTicket | undefined> {
    if (!isAsDeclared(there, file)) return undefined;
    const { content } = there;
    if (content.state === 'stored') return { state: 'stored' };
    if (content.state === 'missing') return undefined;
    await reopen();
    return this.#uploads.ticket(content.upload, file);
  }

  /** As `#begin`; what the file takes up counts before anything of it is there. */
  async #beginCounted(
    release: ReleaseName,
    file: DeclaredFile,
    held: Held<DraftFile> | undefined,
  ): Promise<FileTicket | undefined> {
    const more = growth(held?.value, file);
    if (more.files === 0 && more.bytes === 0) return this.#begin(release, file, held);
    const needed = { files: more.files, bytes: Math.max(0, more.bytes) };
    const taken = await this.#quotas.reserve(release, needed);
    try {
      const ticket = await this.#begin(release, file, held);
      taken.end(ticket === undefined ? 'void' : 'done', more);
      return ticket;
    } catch (error) {
      taken.end('unsure', more);
      throw error;
    }
  }

  /** Writes the declaration; undefined when another one came first. */
  async #begin(
    release: ReleaseName,
    file: DeclaredFile,
    held: Held<DraftFile> | undefined,
  ): Promise<FileTicket | undefined> {
    const content = await this.#contentFor(release, file, held?.value);
    const { path, size, sha256, chunks } = file;
    const generation = (held?.value.generation ?? 0) + 1;
    const document = { v: 1, generation, path, size, sha256, chunks, content } as const;
    const key = keys.draftFile(release, this.#pathDigest(path));
    const bytes = fileForm.format(document);
    const version = await this.#parts.store.swap(key, held?.version ?? null, bytes);
    const superseded = version === undefined ? document : held?.value;
    if (superseded !== undefined) this.#uploads.letGo(superseded);
    if (version === undefined) return undefined;
    if (content.state === 'stored') return { state: 'stored' };
    return this.#uploads.ticket(content.upload, file);
  }

  async #contentFor(
    release: ReleaseName,
    file: DeclaredFile,
    there: DraftFile | undefined,
  ): Promise<Exclude<DraftFile['content'], { state: 'missing' }>> {
    if (file.size === 0) return { state: 'stored', blob: await this.#storeNothing() };
    // What a seal has found damaged is sent anew, not taken from the same place again.
    const isDamaged = there?.content.state === 'missing' && there.sha256 === file.sha256;
    const known = isDamaged
      ? undefined
      : await this.#contents.known(release.namespace, file.sha256, this.#readers);
    if (known?.size === file.size) return { state: 'stored', blob: known.blob };
    return { state: 'uploading', upload: await this.#uploads.begin(release, file) };
  }

  /** Parts come in while the content is open: a sealed draft is reopened by declaring a file. */
  async #requireOpen(release: ReleaseName): Promise<void> {
    const { release: name, state } = await this.#drafts.get(release);
    if (state === 'draft') return;
    throw new CodedError('conflict', `${name} is ${state}; declare the file again to reopen it`, {
      release: name,
      state,
    });
  }

  async #storeNothing(): Promise<string> {
    const blob = this.#contents.drawBlob();
    await this.#parts.store.create(keys.blob(blob), NOTHING);
    return blob;
  }

  async #load(release: ReleaseName, path: string): Promise<Held<DraftFile> | undefined> {
    const key = keys.draftFile(release, this.#pathDigest(path));
    return load(this.#parts.store, key, fileForm);
  }

  #pathDigest(path: string): Digest {
    return digestOf(this.#parts.host, utf8(path));
  }
}

/** Refuses what could never be sealed, before a byte of it is sent. */
function requireDeclaration({ host }: RegistryParts, file: DeclaredFile): void {
  parseFilePath(file.path);
  const { path, size, sha256, chunks } = file;
  if (chunks.size !== chunkSizeFor(size)) {
    throw new CodedError(
      'bad-document',
      `${path}: the chunk size of ${size} bytes is ${chunkSizeFor(size)}, not ${chunks.size}`,
    );
  }
  if (size > 0) return;
  if (sha256 !== digestOf(host, NOTHING) || chunks.root !== chunkRoot(host, NOTHING)) {
    throw new CodedError(
      'digest-mismatch',
      `${path} has no bytes, but another digest than nothing`,
    );
  }
}

/** By how much the draft grows when `file` takes the place of what is there; bytes may be less than nothing. */
function growth(there: DraftFile | undefined, { size }: DeclaredFile): Amount {
  return { files: there === undefined ? 1 : 0, bytes: size - (there?.size ?? 0) };
}

function isAsDeclared(there: DraftFile, file: DeclaredFile): boolean {
  return (
    there.size === file.size &&
    there.sha256 === file.sha256 &&
    there.chunks.size === file.chunks.size &&
    there.chunks.root === file.chunks.root
  );
}

/** Does the file's content come from that upload? */
function isUploadOf(name: string, { content }: DraftFile): boolean {
  if (content.state === 'uploading') return content.upload === name;
  return content.state === 'stored' && content.blob === name;
}

function superseded(path: string): CodedError {
  return new CodedError('conflict', `${path} was declared anew; go on with its newer upload`, {
    path,
  });
}

/** True when both name the same bytes in the same state of arrival. */
function isSameContent(a: DraftFile['content'], b: DraftFile['content']): boolean {
  if (a.state === 'uploading' && b.state === 'uploading') return a.upload === b.upload;
  if (a.state === 'stored' && b.state === 'stored') return a.blob === b.blob;
  return a.state === b.state;
}
