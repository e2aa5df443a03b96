/** The files of a release in memory, as a page knows them once their manifest was checked. */
import { createHash } from 'node:crypto';
import type { Piece } from '../../src/browser/files/hash-job.ts';
import type { ReleaseFile, ReleaseFiles } from '../../src/browser/files/release-files.ts';
import { formatDigest } from '../../src/core/digest.ts';
import { parseFilePath } from '../../src/core/release/path.ts';

/** Chunks of a few bytes, so that small files have several. */
export const CHUNK = 4;

export function releaseOf(contents: Readonly<Record<string, string>>): ReleaseFiles {
  const files = Object.entries(contents).map(
    ([path, text]): ReleaseFile => ({
      path: parseFilePath(path),
      size: Buffer.byteLength(text),
      sha256: formatDigest(sha256(Buffer.from(text))),
    }),
  );
  return {
    reference: 'acme/tiny@v1',
    files,
    find: (path) => files.find((file) => file.path === path),
    async chunksOf({ path }) {
      const bytes = Buffer.from(contents[path]!);
      const count = Math.ceil(bytes.length / CHUNK);
      const at = (i: number) => sha256(bytes.subarray(i * CHUNK, (i + 1) * CHUNK));
      return { chunkSize: CHUNK, count, at };
    },
    urlOf: ({ path }) => `http://registry.test/${path}`,
  };
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

export async function hashHere(piece: Piece): Promise<Uint8Array> {
  return sha256(new Uint8Array(await piece.arrayBuffer()));
}
