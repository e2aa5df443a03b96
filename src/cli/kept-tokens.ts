/**
 * The tokens that `login` got, one file for each registry below `$XDG_CONFIG_HOME/weighhouse/tokens`, of
 * mode 0600. They are kept by the registry's address, and no other address is ever sent one: what a
 * registry says of itself has nothing to do with it.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { RegistryUrl } from '../client/http.ts';
import { CodedError } from '../core/error.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { instant, parseShape } from '../core/shape.ts';
import { makeFolder } from '../folders.ts';
import { replaceFile } from '../whole-file.ts';
import { type Context, places } from './context.ts';

const shape = v.strictObject({
  v: v.literal(1),
  url: v.string(),
  token: v.string(),
  expires: instant,
});

export interface KeptToken {
  readonly token: string;
  readonly expires: string;
}

/** What is kept for the registry at `url`; undefined for nothing, and for what is no longer good. */
export async function keptToken(
  { config, clock }: Context,
  url: RegistryUrl,
): Promise<string | undefined> {
  const path = placeOf(config, url);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new CodedError('storage', `${path} cannot be read (${error.code})`);
  });
  if (bytes === undefined) return undefined;
  const kept = parseShape(shape, parseCanonical(new Uint8Array(bytes), path), path);
  if (kept.url !== url) {
    throw new CodedError('bad-document', `${path} is the token of ${kept.url}; remove it`);
  }
  return Date.parse(kept.expires) > clock() ? kept.token : undefined;
}

/** Keeps a token, in place of what was kept before; gives the file. */
export async function keepToken(
  { config }: Context,
  url: RegistryUrl,
  { token, expires }: KeptToken,
): Promise<string> {
  const path = placeOf(config, url);
  await makeFolder(places.tokens(config), 0o700);
  await replaceFile(path, formatCanonical({ v: 1, url, token, expires }), 0o600);
  return path;
}

/** False where none was kept. */
export async function forgetToken({ config }: Context, url: RegistryUrl): Promise<boolean> {
  try {
    await rm(placeOf(config, url));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** `https://weights.example:8443` → `https%3A%2F%2Fweights.example%3A8443.json`. */
function placeOf(config: Context['config'], url: RegistryUrl): string {
  return join(places.tokens(config), `${encodeURIComponent(url)}.json`);
}
