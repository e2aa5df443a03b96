/**
 * Which directory was pushed with `--no-seal`. Sealing compares what the registry sealed
 * with what lies in that directory, so `seal` has to find it again; it is remembered here:
 *
 *     $XDG_CONFIG_HOME/weighhouse/pushes/unsealed/<ns>__<name>__<version>.json
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { type Claims, claimMembers, claimsOf } from '../core/release/claims.ts';
import { type ReleaseName, versionKey } from '../core/release/name.ts';
import { parseShape } from '../core/shape.ts';
import { makeFolder } from '../folders.ts';
import { type Context, places } from './context.ts';

const patterns = v.exactOptional(v.array(v.string()));
const unsealedShape = v.strictObject({
  v: v.literal(1),
  directory: v.string(),
  include: patterns,
  exclude: patterns,
  ...claimMembers,
});

/** A push without its seal: which files of which directory, and what is said of them. */
export interface Unsealed extends Claims {
  readonly directory: string;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

export async function rememberUnsealed(
  context: Context,
  release: ReleaseName,
  unsealed: Unsealed,
): Promise<void> {
  const { directory, include, exclude } = unsealed;
  const path = locate(context, release);
  await makeFolder(places.pushes(context.config), 0o700);
  const document = {
    v: 1,
    directory: resolve(directory),
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...claimsOf(unsealed),
  };
  await writeFile(path, formatCanonical(document), { mode: 0o600 });
}

/** What was pushed as `release` from this machine and not sealed, or undefined. */
export async function recallUnsealed(
  context: Context,
  release: ReleaseName,
): Promise<Unsealed | undefined> {
  const path = locate(context, release);
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  return parseShape(unsealedShape, parseCanonical(new Uint8Array(bytes), path), path);
}

export async function forgetUnsealed(context: Context, release: ReleaseName): Promise<void> {
  await rm(locate(context, release), { force: true });
}

function locate({ config }: Context, release: ReleaseName): string {
  const { namespace, name } = release;
  return join(places.pushes(config), `${namespace}__${name}__${versionKey(release.version)}.json`);
}
