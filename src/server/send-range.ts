/**
 * A run of a file's bytes into a response, as fast as the machine moves memory: a few blocks,
 * used again and again, one being read while others are on their way into the socket.
 *
 * `fs.createReadStream` takes fresh memory for every block, which costs more than the copying
 * itself; with blocks that stay in the processor's cache a single thread keeps up with
 * sendfile (docs/benchmarks.md).
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Response } from 'express';
import { CodedError } from '../core/error.ts';
import type { Content } from '../registry/registry.ts';
import type { ByteRange } from '../store/contract.ts';
import { type FileState, stateOf } from './file-state.ts';
import { goneSignal } from './gone.ts';
import { BLOCKS } from './sending-memory.ts';

/** An open piece of content that can be sent from. */
export interface Source {
  /** Writes the range. Throws `storage` when the store gives fewer bytes, `interrupted` when the reader is gone. */
  send(range: ByteRange): Promise<void>;
  /** The state of the open file, now; undefined for what is no file of this machine. */
  state(): Promise<FileState | undefined>;
  close(): Promise<void>;
}

/** Opens content for sending it into `response`, in blocks of `block` bytes at most. */
export async function openSource(
  content: Content,
  response: Response,
  block: number,
): Promise<Source> {
  const { localPath } = content;
  if (localPath === undefined) {
    return {
      send: async (range) => sendStream(await content.read(range, goneSignal(response)), response),
      state: async () => undefined,
      close: async () => {},
    };
  }
  const file = await open(localPath, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => {
    throw new CodedError('storage', `the bytes of ${content.path} are missing from the store`);
  });
  const blocks = new Blocks(response, block);
  return {
    send: (range) => sendFile(file, range, blocks, content.path),
    state: async () => stateOf(await file.stat({ bigint: true })),
    close: async () => {
      await blocks.settle();
      await file.close();
    },
  };
}

async function sendFile(
  file: FileHandle,
  range: ByteRange,
  blocks: Blocks,
  path: string,
): Promise<void> {
  const end = range.offset + range.length;
  const read = async (at: number) => {
    const block = await blocks.take();
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, end - at), at);
    if (bytesRead === 0) {
      throw new CodedError('storage', `the store has fewer bytes of ${path} than it should`);
    }
    return { block, bytesRead };
  };
  let next = read(range.offset);
  for (let at = range.offset; at < end; ) {
    const { block, bytesRead } = await next;
    at += bytesRead;
    if (at < end) {
      next = read(at);
      next.catch(() => {}); // it is awaited in the next turn
    }
    blocks.write(block, bytesRead);
  }
}

/** The blocks of one response. A block is free again once the socket has taken what it holds. */
class Blocks {
  readonly #response: Response;
  readonly #gone: Promise<never>;
  readonly #size: number;
  /** In the order in which they were written. */
  readonly #underWay: Promise<Buffer>[] = [];
  #made = 0;

  constructor(response: Response, size: number) {
    this.#response = response;
    this.#size = size;
    this.#gone = goneOf(response);
  }

  /** A block that nothing is read from any more. */
  async take(): Promise<Buffer> {
    if (this.#made === BLOCKS) return Promise.race([this.#underWay.shift()!, this.#gone]);
    this.#made++;
    return Buffer.allocUnsafeSlow(this.#size);
  }

  write(block: Buffer, length: number): void {
    const written = Promise.withResolvers<Buffer>();
    written.promise.catch(() => {});
    this.#underWay.push(written.promise);
    this.#response.write(block.subarray(0, length), (error) => {
      if (error) written.reject(readerIsGone());
      else written.resolve(block);
    });
  }

  /** Waits until nothing is under way any more: only then may the memory go. */
  async settle(): Promise<void> {
    await Promise.race([Promise.allSettled(this.#underWay), this.#gone.catch(() => {})]);
  }
}

async function sendStream(stream: ReadableStream<Uint8Array>, response: Response): Promise<void> {
  const gone = goneOf(response);
  const body = Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]);
  try {
    for await (const bytes of body) {
      const written = Promise.withResolvers<void>();
      response.write(bytes, (error) =>
        error ? written.reject(readerIsGone()) : written.resolve(),
      );
      await Promise.race([written.promise, gone]);
    }
  } finally {
    body.destroy();
  }
}

/** Rejects when the connection ends: a write that was never begun is never called back. */
function goneOf(response: Response): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const socket = response.req.socket;
  const end = () => reject(readerIsGone());
  if (socket.destroyed) end();
  socket.once('close', end);
  response.once('close', () => {
    socket.off('close', end);
    end();
  });
  return promise;
}

function readerIsGone(): CodedError {
  return new CodedError('interrupted', 'the reader went away');
}
