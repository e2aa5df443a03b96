/**
 * Random access to published content of which each chunk is hashed before any of it is
 * believed: for what is made out of content and kept.
 */
import { concat, equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { chunkRange } from '../core/release/chunks.ts';
import { type ByteReader, readExactly } from '../core/weights/reader.ts';
import type { Content } from './registry.ts';

const DIGEST_BYTES = 32;

/** Reads of one chunk after the other hash each once. They throw `storage` for one that is damaged. */
export function checkedReaderOf(host: Pick<Host, 'sha256'>, content: Content): ByteReader {
  const { size, chunkSize } = content;
  let last: { readonly index: number; readonly bytes: Promise<Uint8Array> } | undefined;
  const chunkAt = (index: number): Promise<Uint8Array> => {
    if (last?.index !== index) last = { index, bytes: readChunk(host, content, index) };
    return last.bytes;
  };
  const reader: ByteReader = {
    size,
    async read(offset, length) {
      const pieces: Uint8Array[] = [];
      for (let at = offset; at < offset + length; ) {
        const index = Math.floor(at / chunkSize);
        const from = at - index * chunkSize;
        const piece = (await chunkAt(index)).subarray(from, from + offset + length - at);
        pieces.push(piece);
        at += piece.length;
      }
      return pieces.length === 1 ? pieces[0]! : concat(...pieces);
    },
  };
  return { size, read: (offset, length) => readExactly(reader, offset, length) };
}

async function readChunk(
  host: Pick<Host, 'sha256'>,
  content: Content,
  index: number,
): Promise<Uint8Array> {
  const list = await content.chunkList();
  const blocks: Uint8Array[] = [];
  const chunk = chunkRange(content.size, content.chunkSize, index);
  for await (const block of await content.read(chunk)) blocks.push(block);
  const bytes = concat(...blocks);
  const due = list.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  if (equal(host.sha256(bytes), due)) return bytes;
  throw new CodedError(
    'storage',
    `the store’s bytes of ${content.path} are damaged in chunk ${index}; restore them`,
    { sha256: content.sha256, chunk: index },
  );
}
