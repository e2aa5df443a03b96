/**
 * Weights on the wire: `GET /api/v1/releases/{ns}/{name}/{version}/files/{path}`, and with them
 * the release documents that are too large to be read into memory for everybody who asks.
 *
 * No byte leaves the server unchecked. A client that says `Weighhouse-Verifies: chunks`
 * checks each chunk itself, and gets the file as it lies. For every other client the server
 * hashes each chunk against the release's chunk list before it sends any of it, unless it has
 * done so a while ago in a file that nobody has changed since (`whole-chunks.ts`); when one does
 * not fit, the connection is cut (RFC 9112 leaves no other way to take back a length) and the
 * damage is logged.
 */
import type { Request, Response } from 'express';
import { equal } from '../core/bytes.ts';
import { type Digest, digestBytes, digestHex } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { chunkRange } from '../core/release/chunks.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { Content } from '../registry/registry.ts';
import type { ByteRange } from '../store/contract.ts';
import { type FileState, stateAt } from './file-state.ts';
import { goneSignal } from './gone.ts';
import { REPRESENTATION, StatusError } from './problem.ts';
import { parseRange } from './range.ts';
import { openSource, type Source } from './send-range.ts';
import { SendingMemory } from './sending-memory.ts';
import { WholeChunks } from './whole-chunks.ts';

/** The header by which a client says that it verifies. */
export const VERIFIES_HEADER = 'Weighhouse-Verifies';
/** Seconds for which a reader who was sent to the store may begin to read there. */
export const READ_SECONDS = 900;
/** The same for what is not everybody's: the address is good for whoever has it. */
export const READER_SECONDS = 300;
/** Files that are sent at the same time. */
export const MAX_SENDINGS = 1_024;

/** The media type of weights: a browser saves them and shows nothing of them. */
const WEIGHTS = 'application/octet-stream';
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Of what is for readers: nobody keeps it for others, and who keeps it asks each time whether they still may. */
const FOR_READERS = 'private, no-cache';

export interface ContentSender {
  /**
   * Answers a GET or HEAD for one file, of media type `type`; a reader who is sent to the store
   * may begin to read there for `seconds`. Throws `overloaded`, `storage`, 412 where the
   * reader wants other bytes, and 416 for a range that lies outside of the file.
   */
  send(
    request: Request,
    response: Response,
    content: Content,
    as?: { readonly type?: string; readonly seconds?: number },
  ): Promise<void>;
}

/** Sends content that `hashing` has checked. `maxSendings` is less only in tests. */
export function contentSender(
  hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>,
  { clock = Date.now, maxSendings = MAX_SENDINGS } = {},
): ContentSender {
  const memory = new SendingMemory();
  const whole = new WholeChunks();
  let sendings = 0;

  async function sendBody(
    request: Request,
    response: Response,
    content: Content,
    range: ByteRange,
  ): Promise<void> {
    if (sendings >= maxSendings) {
      const message = 'too many files are being sent; try again in a moment';
      throw new CodedError('overloaded', message, { retryAfterSeconds: 5 });
    }
    sendings++;
    const block = memory.take();
    const end = () => {
      sendings--;
      memory.giveBack(block);
    };
    const size = Math.min(block, range.length);
    const source = await openSource(content, response, size).catch((error) => {
      end();
      throw error;
    });
    try {
      if (request.get(VERIFIES_HEADER) === 'chunks') await source.send(range);
      else {
        const signal = goneSignal(response);
        await sendChecked({ hashing, whole, clock, content, signal, source }, range);
      }
      response.end();
    } catch (error) {
      // A reader that went away is no failure of ours.
      if (!isCoded(error, 'interrupted')) throw error;
      response.destroy();
    } finally {
      await source.close();
      end();
    }
  }

  return {
    async send(request, response, content, { type = WEIGHTS, seconds = READ_SECONDS } = {}) {
      describe(response, content, type);
      const etag = `"${digestHex(content.sha256)}"`;
      const wanted = request.get('if-match');
      if (wanted !== undefined && !names(wanted, etag)) {
        const message = `${content.path} has other bytes than those that If-Match names`;
        throw new StatusError(412, 'conflict', message);
      }
      if (matches(request.get('if-none-match'), etag)) {
        response.status(304).end();
        return;
      }
      if (request.method === 'GET' && content.signedUrl !== undefined && content.size > 0) {
        await redirect(response, content, type, seconds);
        return;
      }
      const asked = rangeOf(request, content, etag);
      if (asked === 'unsatisfiable') {
        const message = `${content.path} has ${content.size} bytes; the range lies outside of them`;
        response.set('Content-Range', `bytes */${content.size}`);
        throw new StatusError(416, 'usage', message);
      }
      const range = asked ?? { offset: 0, length: content.size };
      response.set('Content-Length', String(range.length));
      if (asked !== undefined) {
        const last = range.offset + range.length - 1;
        response.status(206).set('Content-Range', `bytes ${range.offset}-${last}/${content.size}`);
      }
      if (request.method === 'HEAD' || range.length === 0) response.end();
      else await sendBody(request, response, content, range);
    },
  };
}

/** Checked bytes out of memory, to be sent like those of any file. */
export function contentOf(path: string, bytes: Uint8Array, sha256: Digest): Content {
  return {
    path,
    size: bytes.length,
    sha256,
    chunkSize: bytes.length,
    chunkList: async () => digestBytes(sha256),
    read: async ({ offset, length }) =>
      ReadableStream.from([bytes.subarray(offset, offset + length)]),
    localPath: undefined,
  };
}

/** Headers that say what the bytes are. */
function describe(response: Response, content: Content, type: string): void {
  if (type === WEIGHTS) response.attachment(content.path.split('/').at(-1));
  response.type(type).set({
    'Accept-Ranges': 'bytes',
    ETag: `"${digestHex(content.sha256)}"`,
    'Repr-Digest': `sha-256=:${Buffer.from(digestBytes(content.sha256)).toString('base64')}:`,
  });
  if (content.forReaders) response.vary('Authorization').set('Cache-Control', FOR_READERS);
  // Under a name that may come to mean another release, whoever named it has said so.
  else if (!response.hasHeader('Cache-Control')) response.set('Cache-Control', IMMUTABLE);
}

/**
 * Sends the reader to the store. The signature covers how the bytes are to be taken, so that
 * they come as an attachment from there too; no cache keeps them longer than their address is
 * good, and none keeps the redirect. Ranges are the store's to answer.
 */
async function redirect(
  response: Response,
  { signedUrl, forReaders }: Content,
  type: string,
  usualSeconds: number,
): Promise<void> {
  const disposition = response.get('Content-Disposition') ?? 'attachment';
  const seconds = forReaders ? Math.min(usualSeconds, READER_SECONDS) : usualSeconds;
  const cache = forReaders ? FOR_READERS : `public, max-age=${seconds}, immutable`;
  const url = await signedUrl!({ type, disposition, cache }, seconds);
  for (const name of REPRESENTATION) response.removeHeader(name);
  response
    .status(307)
    .set({ Location: url, 'Cache-Control': 'no-store', 'Content-Length': '0' })
    .end();
}

/** `If-Match` (RFC 9110, section 13.1.1); strong comparison. */
function names(header: string, etag: string): boolean {
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim() === etag);
}

/** `If-None-Match` (RFC 9110, section 13.1.2); weak comparison. */
function matches(header: string | undefined, etag: string): boolean {
  return header !== undefined && names(header.replaceAll('W/', ''), etag);
}

/** The range that is asked for; undefined for the whole file. Only GET has ranges (RFC 9110, section 14.2). */
function rangeOf(
  request: Request,
  content: Content,
  etag: string,
): ByteRange | 'unsatisfiable' | undefined {
  if (request.method !== 'GET') return undefined;
  const condition = request.get('if-range');
  if (condition !== undefined && condition !== etag) return undefined;
  return parseRange(request.get('range'), content.size);
}

/** What is checked, with what, and until when somebody wants it. */
interface Checking {
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  readonly whole: WholeChunks;
  readonly clock: () => number;
  readonly content: Content;
  readonly signal: AbortSignal;
  readonly source: Source;
}

/**
 * Sends the range chunk by chunk, each known to be whole before any of it goes out; the next one
 * is hashed meanwhile, on another core. A chunk is read twice, once to hash and once to send,
 * so that no client, however slow, holds a chunk's memory: the second reading finds the pages
 * that the first one has left.
 */
async function sendChecked(checking: Checking, { offset, length }: ByteRange): Promise<void> {
  const { content, source } = checking;
  const list = await content.chunkList();
  const end = offset + length;
  const check = (index: number) => {
    const checked = requireWhole(checking, list, index);
    checked.catch(() => {}); // it is awaited in its turn
    return checked;
  };
  let next = check(Math.floor(offset / content.chunkSize));
  for (let at = offset; at < end; ) {
    const index = Math.floor(at / content.chunkSize);
    const chunk = chunkRange(content.size, content.chunkSize, index);
    const chunkEnd = Math.min(end, chunk.offset + chunk.length);
    await requireUnchanged(checking, await next, () => check(index));
    if (chunkEnd < end) next = check(index + 1);
    await source.send({ offset: at, length: chunkEnd - at });
    at = chunkEnd;
  }
}

/**
 * Throws `storage` unless chunk `index` has the digest that the list gives it. Resolves to the
 * state of the file in which it has; to undefined for what is no file, or changes meanwhile.
 */
async function requireWhole(
  checking: Checking,
  list: Uint8Array,
  index: number,
): Promise<FileState | undefined> {
  const { content, source, whole, clock } = checking;
  const state = await source.state();
  const begun = clock();
  if (state !== undefined && whole.has(content, state, index, begun)) return state;
  const found = await hashChunk(checking, index).catch((error) => {
    throw isCoded(error, 'interrupted') ? error : damaged(content, index, error);
  });
  if (!equal(found, list.subarray(index * 32, index * 32 + 32))) throw damaged(content, index);
  if (state === undefined) return undefined;
  // It was hashed by its name. That this still names the open file, in the state of before, says
  // that it was this one all the time: a file that loses a name or gets one changes its state.
  const hashed = await stateAt(content.localPath!);
  if (hashed?.identity !== state.identity) return undefined;
  whole.add(content, state, index, begun, clock());
  return state;
}

/**
 * The file that is sent must be in the state in which the chunk was found whole. Who reads slowly
 * may come to a chunk long after it was hashed: then it is hashed `again`. Throws `storage` when
 * that is of no use.
 */
async function requireUnchanged(
  { source, content }: Checking,
  found: FileState | undefined,
  again: () => Promise<FileState | undefined>,
): Promise<void> {
  const isIn = async (state: FileState | undefined) =>
    (await source.state())?.identity === state?.identity;
  if ((await isIn(found)) || (await isIn(await again()))) return;
  const message = `the store’s file of ${content.path} changes while it is sent; let nothing write to it`;
  throw new CodedError('storage', message, { sha256: content.sha256 });
}

async function hashChunk(
  { hashing, content, signal }: Checking,
  index: number,
): Promise<Uint8Array> {
  const { size, path, localPath } = content;
  const chunk = chunkRange(size, content.chunkSize, index);
  if (localPath !== undefined) {
    return (await hashing.hashFile(localPath, { size, pieces: [chunk] }, { signal })).pieces;
  }
  const plan = { size: chunk.length, whole: true } as const;
  const { sha256 } = await hashing.hashBytes(await content.read(chunk, signal), plan, {
    name: path,
    signal,
  });
  return digestBytes(sha256);
}

function damaged(content: Content, index: number, cause?: unknown): CodedError {
  const { path, sha256 } = content;
  const message = `the store’s bytes of ${path} are damaged in chunk ${index}; restore them`;
  return new CodedError('storage', message, { sha256, chunk: index }, { cause });
}
