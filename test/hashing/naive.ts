/** The same hashes, the slow and obvious way. */
import { createHash } from 'node:crypto';
import type { HashPlan } from '../../src/hashing/plan.ts';

export function naiveHashes(bytes: Uint8Array, plan: HashPlan) {
  const { size, whole, chunkSize, pieces } = plan;
  return {
    sha256: whole ? `sha256:${Buffer.from(sha256(bytes)).toString('hex')}` : undefined,
    chunks: chunkSize === undefined ? undefined : join(chunksOf(bytes, size, chunkSize)),
    pieces: pieces && join(pieces.map((p) => bytes.subarray(p.offset, p.offset + p.length))),
  };
}

function chunksOf(bytes: Uint8Array, size: number, chunkSize: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < size; at += chunkSize) chunks.push(bytes.subarray(at, at + chunkSize));
  return chunks;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map(sha256)));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
