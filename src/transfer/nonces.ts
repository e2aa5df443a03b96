/**
 * The nonce of each revision that is being pushed: 32 random bytes that make the digest
 * impossible to guess before publication. They are kept, so that
 * a push that was stopped while the registry sealed goes on with the same digest.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { count, hex32, parseShape } from '../core/shape.ts';

const stateSchema = v.strictObject({
  v: v.literal(1),
  reference: v.string(),
  revision: count,
  nonce: hex32,
});

export interface Nonces {
  /** The nonce of that revision, the same each time it is asked for. Hex. */
  nonceOf(release: ReleaseName, revision: number): Promise<string>;
}

/** Keeps nonces in `folder`, one small document a release. `random` gives hex of 32 bytes. */
export function noncesIn(folder: string, random: () => string): Nonces {
  return {
    async nonceOf(release, revision) {
      const path = join(folder, `${release.namespace}__${release.name}__${release.version}.json`);
      const known = await readState(path);
      const reference = formatReleaseName(release);
      if (known?.revision === revision && known.reference === reference) return known.nonce;
      const state = { v: 1 as const, reference, revision, nonce: random() };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, formatCanonical(state), { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
      return state.nonce;
    },
  };
}

async function readState(path: string) {
  try {
    const bytes = new Uint8Array(await readFile(path));
    return parseShape(stateSchema, parseCanonical(bytes, path), path);
  } catch {
    // Lost or damaged: a new nonce only means that the seal starts over.
    return undefined;
  }
}
