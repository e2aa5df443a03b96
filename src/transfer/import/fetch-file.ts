/**
 * One file of a source, brought into the folder: written to a partial file while it is hashed,
 * and given its name when its digest is the one that the source stated. Stopped, the next attempt
 * hashes what is there and asks for the rest.
 */
import { type Hash, hash } from 'node:crypto';
import { constants, ftruncateSync, writeSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { interruption, waitBefore } from '../../client/retry.ts';
import { CodedError } from '../../core/error.ts';
import { unusable } from '../download/channel.ts';
import { PARTIAL_FOLDER, type Target, unwritable, WRITE_FLAGS } from '../target.ts';
import { hashFor } from './content-name.ts';
import type { Remote } from './remote.ts';
import type { RemoteFile } from './snapshot.ts';

/** Times that wrong bytes are taken for an accident: the network's, or of what an attempt has left. */
export const MAX_WRONG = 3;
/** Bytes that are hashed at once of what is there already. */
const BLOCK_BYTES = 2 ** 20;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

export interface Fetching {
  readonly target: Target;
  readonly remote: Remote;
  readonly signal: AbortSignal;
  /** So many bytes of the file are there by now. */
  readonly report: (path: string, bytes: number) => void;
}

/** Where a file is until all of it is there and right; no other content goes there. */
export function partialNameOf({ path, name }: RemoteFile): string {
  return `${PARTIAL_FOLDER}/${hash('sha256', `${path}\n${name.hex}`)}`;
}

/** Throws `digest-mismatch`, `network`, `not-authorised`, `disk-full`, `interrupted` … */
export async function fetchFile(it: Fetching, file: RemoteFile): Promise<void> {
  if (await isInPlace(it, file)) return;
  for (let wrong = 1; ; wrong++) {
    const partial = await PartialImport.open(it, file);
    try {
      await receive(it, partial);
      if (partial.fits()) return await partial.finish();
      partial.restart();
      if (wrong === MAX_WRONG) throw wrongBytes(file);
    } finally {
      await partial.close();
    }
  }
}

/** Is the file there, whole and right? */
async function isInPlace({ target, signal, report }: Fetching, file: RemoteFile): Promise<boolean> {
  const { path, size, name } = file;
  if ((await target.find(path))?.size !== size) return false;
  const handle = await open(target.locate(path), READ_FLAGS);
  try {
    const hash = hashFor(name, size);
    await hashBeginning(handle, size, hash, signal, (bytes) => report(path, bytes));
    if (hash.digest('hex') !== name.hex) return false;
  } finally {
    await handle.close();
  }
  return true;
}

/** Asks until everything is there: a broken network as long as anything still comes through. */
async function receive(it: Fetching, partial: PartialImport): Promise<void> {
  const { signal, remote } = it;
  for (let failures = 0; partial.isMissing; ) {
    const before = partial.length;
    try {
      await receiveOnce(it, partial);
    } catch (error) {
      failures = partial.length > before ? 1 : failures + 1;
      const wait = signal.aborted ? undefined : waitBefore(failures + 1, error, remote.pauses);
      if (wait === undefined) throw error;
      await remote.pauses.sleep(wait, signal);
    }
  }
}

async function receiveOnce({ remote, signal, report }: Fetching, partial: PartialImport) {
  const { url, path, size } = partial.file;
  const judge = (response: Response) => {
    if (response.status === 200) partial.restart();
    else requireRest(response, partial);
    const encoding = response.headers.get('content-encoding') ?? 'identity';
    if (encoding !== 'identity') throw unusable(url, 'it sends the content encoded');
    const stated = response.headers.get('content-length');
    if (stated !== null && Number(stated) !== size - partial.length) throw wrongSize(partial.file);
    return (bytes: Uint8Array) => {
      partial.append(bytes);
      report(path, partial.length);
    };
  };
  await remote.read(url, partial.length, judge, signal);
  if (partial.isMissing) throw unusable(url, 'it ends before the file does');
}

/** Is this all that is missing (RFC 9110, section 14.4)? */
function requireRest(response: Response, { file, length }: PartialImport): void {
  const expected = `bytes ${length}-${file.size - 1}/${file.size}`;
  if (response.status === 206 && response.headers.get('content-range') === expected) return;
  throw unusable(file.url, `it does not send the range ${expected}`);
}

/** A file on its way. */
class PartialImport {
  readonly file: RemoteFile;
  readonly #target: Target;
  readonly #name: string;
  readonly #handle: FileHandle;
  #hash: Hash;
  #length: number;

  private constructor(
    target: Target,
    file: RemoteFile,
    name: string,
    there: { readonly handle: FileHandle; readonly hash: Hash; readonly length: number },
  ) {
    this.file = file;
    this.#target = target;
    this.#name = name;
    this.#handle = there.handle;
    this.#hash = there.hash;
    this.#length = there.length;
  }

  /** Opens it, and hashes what an earlier attempt has left. */
  static async open(it: Fetching, file: RemoteFile): Promise<PartialImport> {
    const { target, signal, report } = it;
    const partial = partialNameOf(file);
    await target.makeFolderOf(partial);
    const length = (await target.find(partial))?.size ?? 0;
    const handle = await open(target.locate(partial), WRITE_FLAGS, 0o666).catch((error) => {
      throw unwritable(file.path, error);
    });
    try {
      const begun = hashFor(file.name, file.size);
      await hashBeginning(handle, length, begun, signal, (bytes) => report(file.path, bytes));
      return new PartialImport(target, file, partial, { handle, hash: begun, length });
    } catch (error) {
      await handle.close();
      throw unwritable(file.path, error);
    }
  }

  get length(): number {
    return this.#length;
  }

  get isMissing(): boolean {
    return this.#length < this.file.size;
  }

  /** Throws `digest-mismatch` for more than the file has. */
  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.file.size) throw wrongSize(this.file);
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#handle.fd, bytes, at, bytes.length - at, this.#length + at);
      }
    } catch (error) {
      throw unwritable(this.file.path, error);
    }
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  /** Begins with the first byte again. */
  restart(): void {
    ftruncateSync(this.#handle.fd, 0);
    this.#hash = hashFor(this.file.name, this.file.size);
    this.#length = 0;
  }

  fits(): boolean {
    return this.#hash.copy().digest('hex') === this.file.name.hex;
  }

  /** Makes it durable and gives it its name. */
  async finish(): Promise<void> {
    const { path } = this.file;
    try {
      await this.#handle.sync();
      await this.#target.makeFolderOf(path);
      await this.#target.find(path);
      await rename(this.#target.locate(this.#name), this.#target.locate(path));
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** What is there stays for the next attempt. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Feeds the first `length` bytes of the file to `hash`. */
async function hashBeginning(
  handle: FileHandle,
  length: number,
  hash: Hash,
  signal: AbortSignal,
  report: (bytes: number) => void,
): Promise<void> {
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, length));
  for (let at = 0; at < length; ) {
    if (signal.aborted) throw interruption(signal);
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, length - at), at);
    // It was cut off meanwhile: then its digest will not fit.
    if (bytesRead === 0) return;
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
    report(at);
  }
}

function wrongBytes({ path, url, name }: RemoteFile): CodedError {
  return new CodedError(
    'digest-mismatch',
    `${path} came ${MAX_WRONG} times with other bytes than ${name.hex}, which the source names; import from elsewhere`,
    { path, url },
  );
}

function wrongSize({ path, url, size }: RemoteFile): CodedError {
  return new CodedError(
    'digest-mismatch',
    `${path} has another size than the ${size} bytes that the source states; import from elsewhere`,
    { path, url },
  );
}
