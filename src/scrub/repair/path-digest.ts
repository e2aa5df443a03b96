/** By which a draft keeps the document of a file. */
import { utf8 } from '../../core/bytes.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import type { Host } from '../../core/host.ts';

export function pathDigest(host: Host, path: string): Digest {
  return digestOf(host, utf8(path));
}
