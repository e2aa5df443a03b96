/** Statements: named by their digests, and read where that fits. */
import { type Digest, digestOf } from '../../core/digest.ts';
import { keys } from '../../store/keys.ts';
import { type CheckParts, isProblem, readSmall } from '../check/parts.ts';

export function statement(digest: Digest) {
  return { key: keys.statement(digest), due: { by: 'digest', digest } } as const;
}

/** The bytes with that digest; undefined where they are damaged, which is told of them by themselves. */
export async function readStatement(
  parts: Pick<CheckParts, 'store' | 'host' | 'pace'>,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const bytes = await readSmall(parts, keys.statement(digest));
  return isProblem(bytes) || digestOf(parts.host, bytes) !== digest ? undefined : bytes;
}
