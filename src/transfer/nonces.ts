/**
 * The nonce of each revision that is being pushed: 32 random bytes that make the digest
 * impossible to guess before publication. They are kept, so that
 * a push that was stopped while the registry sealed goes on with the same digest.
 *
 * One document a registry and release, `<origin>/<ns>__<name>__<version>.json`. A nonce is
 * told to one registry alone: another would learn from it the digest of a draft that it does
 * not hold. A registry's word for its origin is not enough for that, so the address that the
 * person named must be the same too.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { RegistryUrl } from '../client/http.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { count, hex32, parseShape } from '../core/shape.ts';
import { replaceFile } from '../whole-file.ts';

const stateSchema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  url: v.string(),
  reference: v.string(),
  revision: count,
  nonce: hex32,
});

/** The registry that is told a nonce: the name that it gives itself, and where it was reached. */
export interface Recipient {
  readonly origin: Origin;
  readonly url: RegistryUrl;
}

export interface Nonces {
  /** The nonce of that revision there, the same each time it is asked for. Hex. */
  nonceOf(registry: Recipient, release: ReleaseName, revision: number): Promise<string>;
}

/** Keeps nonces in `folder`. `random` gives hex of 32 bytes. */
export function noncesIn(folder: string, random: () => string): Nonces {
  return {
    async nonceOf({ origin, url }, release, revision) {
      const name = `${release.namespace}__${release.name}__${release.version}.json`;
      const path = join(folder, origin, name);
      const known = await readState(path);
      const wanted = { v: 1, origin, url, reference: formatReleaseName(release), revision };
      if (known !== undefined && isFor(known, wanted)) return known.nonce;
      const state = { ...wanted, nonce: random() };
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await replaceFile(path, formatCanonical(state), 0o600);
      return state.nonce;
    },
  };
}

function isFor(known: v.InferOutput<typeof stateSchema>, wanted: object): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => known[name as keyof typeof known] === value,
  );
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
