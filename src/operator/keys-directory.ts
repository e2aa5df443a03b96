/**
 * The server's keys: `--keys DIR`.
 *
 *     registry.json   {v, origin}: whose keys these are; nothing secret
 *     log.key         Ed25519: signs checkpoints
 *     release.key     ECDSA P-256: signs releases, and countersigns new namespaces
 *     token.key       Ed25519: signs tokens
 *
 * The root's private key is not among them, and a server refuses to start where it finds it:
 * whoever takes the server must not be able to name new keys.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { type Origin, parseOrigin } from '../core/log/checkpoint.ts';
import { type SigningKey, signingKey } from '../core/note/key.ts';
import { parseShape } from '../core/shape.ts';
import { keyId } from '../core/statement/public-key.ts';
import type { RootDocument } from '../core/trust/root.ts';
import { readKeyFile } from '../keyring/file.ts';
import { ed25519Seed, type StatementSigner, statementSigner } from '../keyring/keys.ts';
import { type TokenKey, tokenKey } from '../keyring/token.ts';

export const KEY_FILES = { log: 'log.key', release: 'release.key', token: 'token.key' } as const;
const REGISTRY_FILE = 'registry.json';

const registryShape = v.strictObject({ v: v.literal(1), origin: v.string() });

/** The opened keys of a server. */
export interface ServerKeys {
  readonly origin: Origin;
  readonly log: SigningKey;
  readonly release: StatementSigner;
  readonly token: TokenKey;
}

/** Says whose keys a directory holds. */
export async function writeRegistryFile(directory: string, origin: Origin): Promise<void> {
  await writeFile(join(directory, REGISTRY_FILE), formatCanonical({ v: 1, origin }), {
    flag: 'wx',
  });
}

/** The origin whose keys a directory holds; throws `not-found` for one that holds none. */
export async function readOrigin(directory: string): Promise<Origin> {
  const path = join(directory, REGISTRY_FILE);
  const bytes = await readFile(path).catch(() => {
    throw new CodedError(
      'not-found',
      `${directory} holds no registry’s keys: make them with "weighhouse init"`,
    );
  });
  return parseOrigin(parseShape(registryShape, parseCanonical(bytes, path), path).origin);
}

/** Opens the token key alone, which is all that `token create` takes. */
export async function openTokenKey(
  directory: string,
  passphrase: string | undefined,
): Promise<TokenKey> {
  const origin = await readOrigin(directory);
  return tokenKey(origin, await readKeyFile(join(directory, KEY_FILES.token), passphrase));
}

/** Opens all of a server's keys. Throws `not-found`, `not-authorised` or `bad-key`. */
export async function openServerKeys(
  host: Host,
  directory: string,
  passphrase: string | undefined,
): Promise<ServerKeys> {
  const origin = await readOrigin(directory);
  const read = (name: string) => readKeyFile(join(directory, name), passphrase);
  const logPath = join(directory, KEY_FILES.log);
  const [log, release, token] = await Promise.all([
    read(KEY_FILES.log),
    read(KEY_FILES.release),
    openTokenKey(directory, passphrase),
  ]);
  return {
    origin,
    log: signingKey(host, origin, ed25519Seed(log, logPath)),
    release: statementSigner(release, join(directory, KEY_FILES.release)),
    token,
  };
}

/**
 * Refuses a keys directory in which a root key lies. An encrypted file cannot be looked
 * into, so every file that opens is compared, and one that does not must be ours by name.
 */
export async function refuseRootKey(
  host: Host,
  directory: string,
  passphrase: string | undefined,
  root: RootDocument,
): Promise<void> {
  const rootIds = new Set(root.keys.map((spki) => keyId(host, spki)));
  const ours: readonly string[] = [...Object.values(KEY_FILES), REGISTRY_FILE];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (name === REGISTRY_FILE || name.startsWith('.')) continue;
    const id = await statementKeyId(host, path, passphrase);
    if (id !== undefined && rootIds.has(id)) {
      throw new CodedError(
        'untrusted',
        `${path} is the root’s private key: keep it apart from the server’s keys`,
      );
    }
    if (!ours.includes(name)) {
      throw new CodedError(
        'untrusted',
        `${path} does not belong among the server’s keys: move it elsewhere`,
      );
    }
  }
}

async function statementKeyId(
  host: Host,
  path: string,
  passphrase: string | undefined,
): Promise<string | undefined> {
  try {
    return keyId(host, statementSigner(await readKeyFile(path, passphrase), path).spki);
  } catch {
    return undefined;
  }
}
