/** Reads one stretch of a local file and hashes it. Runs in a worker thread, and so waits for the disk. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CodedError } from '../core/error.ts';
import { Digester, type Wanted } from './digester.ts';
import type { RawHashes } from './plan.ts';

/**
 * Bytes read at once into one buffer that is used again and again. 256 KiB stays in the
 * second-level cache for every hash that wants it; with 1 MiB a third of the speed is lost.
 */
export const BLOCK_BYTES = 256 * 1024;

/** Slots of the memory that a file's stretches share with the thread that asked for them. */
export const CONTROL = { read: 0, stop: 1, slots: 2 } as const;

export interface StretchRequest {
  readonly path: string;
  readonly from: number;
  readonly end: number;
  readonly wanted: Wanted;
  /** A BigInt64Array of CONTROL.slots: bytes read so far, and whether to stop. */
  readonly control: SharedArrayBuffer;
}

export interface StretchHashes extends RawHashes {
  /** Tells this state of this file from any other; equal for all stretches of a file at rest. */
  readonly identity: string;
}

const block = new Uint8Array(BLOCK_BYTES);

/**
 * Hashes the stretch. Throws `bad-path` when the path is not a regular file or is a symbolic
 * link, `not-found`, `file-changed` when the file is not as large as it should be or changes
 * meanwhile, `interrupted` when told to stop, `storage` when reading fails.
 */
export function hashStretch(request: StretchRequest): StretchHashes {
  const { path, wanted } = request;
  const file = openRegular(path);
  try {
    const identity = identify(file, path, wanted.size);
    const hashes = readThrough(file, request);
    // A write within one tick of the file system's clock after opening escapes this, as it
    // would any check by time; what was hashed is still exactly what was read.
    if (identify(file, path, wanted.size) !== identity) throw changed(path);
    return { ...hashes, identity };
  } finally {
    closeSync(file);
  }
}

function readThrough(file: number, request: StretchRequest): RawHashes {
  const control = new BigInt64Array(request.control);
  const digester = new Digester(request.wanted);
  for (let offset = request.from; offset < request.end; ) {
    if (Atomics.load(control, CONTROL.stop) !== 0n) throw interrupted(request.path);
    const length = read(file, Math.min(BLOCK_BYTES, request.end - offset), offset, request.path);
    digester.update(length === BLOCK_BYTES ? block : block.subarray(0, length), offset);
    offset += length;
    Atomics.add(control, CONTROL.read, BigInt(length));
  }
  return digester.finish();
}

function read(file: number, length: number, offset: number, path: string): number {
  const got = attempt(path, () => readSync(file, block, 0, length, offset));
  if (got === 0) throw changed(path);
  return got;
}

function openRegular(path: string): number {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer that may never come.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = attempt(path, () => openSync(path, flags));
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new CodedError('bad-path', `${path} is not a regular file; only regular files are hashed`);
}

function identify(file: number, path: string, size: number): string {
  const now = fstatSync(file, { bigint: true });
  if (now.size !== BigInt(size)) throw changed(path, { expected: size, found: Number(now.size) });
  return `${now.dev}:${now.ino}:${now.mtimeNs}`;
}

/** The file at `path` is not what it was when the plan was made. */
export function changed(path: string, details: Record<string, unknown> = {}): CodedError {
  const message = `${path} changed while it was hashed; let nothing write to it and start again`;
  return new CodedError('file-changed', message, details);
}

/** Hashing of `path` was stopped on request. Nothing is lost but this file’s pass. */
export function interrupted(path: string, cause?: unknown): CodedError {
  return new CodedError(
    'interrupted',
    `stopped while hashing ${path}; the same command goes on from here`,
    {},
    { cause },
  );
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw explain(path, error);
  }
}

function explain(path: string, error: unknown): CodedError {
  const reason = (error as NodeJS.ErrnoException).code;
  if (reason === 'ELOOP' || reason === 'EMLINK') {
    return new CodedError('bad-path', `${path} is a symbolic link; links are not followed`);
  }
  if (reason === 'ENOENT' || reason === 'ENOTDIR') {
    return new CodedError('not-found', `there is no file ${path}`);
  }
  const message = `${path} cannot be read (${reason ?? error}); check its rights and the disk`;
  return new CodedError('storage', message);
}
