/**
 * The server's keys: `--keys DIR`.
 *
 *     registry.json   {v, origin}: whose keys these are; nothing secret
 *     log.key         Ed25519: signs checkpoints
 *     release.key     ECDSA P-256: signs releases, and countersigns new namespaces
 *     token.key       Ed25519: signs tokens
 *     release-2.key   a key that version 2 of the trust root names, and so for every role
 *
 * Files are only ever added: which of the keys signs is for the trust root to say, so that a
 * rotation that breaks off half way leaves nothing to repair. Keys that it does not name do
 * nothing, and the file of a key that has ended may be removed.
 *
 * The root's private key is not among them, and a server refuses to start where it finds it:
 * whoever takes the server must not be able to name new keys.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import * as v from 'valibot';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { type Origin, parseOrigin } from '../core/log/checkpoint.ts';
import { type SigningKey, signingKey } from '../core/note/key.ts';
import { parseShape } from '../core/shape.ts';
import { keyId } from '../core/statement/public-key.ts';
import type { RootDocument } from '../core/trust/root.ts';
import { isEncrypted, readKeyFile, writeKeyFile } from '../keyring/file.ts';
import { type TokenKey, tokenKey } from '../keyring/jwt.ts';
import {
  ed25519Seed,
  newEd25519Key,
  newStatementKey,
  type StatementSigner,
  statementSigner,
} from '../keyring/keys.ts';

export const KEY_FILES = { log: 'log.key', release: 'release.key', token: 'token.key' } as const;
export type KeyRole = keyof typeof KEY_FILES;
const REGISTRY_FILE = 'registry.json';
const KEY_FILE = /^(log|release|token)(?:-([1-9][0-9]{0,5}))?\.key$/;

const registryShape = v.strictObject({ v: v.literal(1), origin: v.string() });

/** The opened keys of a directory, of each role in the order in which they were made. */
export interface HeldKeys {
  readonly origin: Origin;
  readonly log: readonly SigningKey[];
  readonly release: readonly StatementSigner[];
  /** Private JWKs. */
  readonly token: readonly JWK[];
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

/** Does it take a passphrase to open the keys of a directory? One opens them all. */
export async function areEncrypted(directory: string): Promise<boolean> {
  const files = await keyFiles(directory);
  const encrypted = await Promise.all(files.map(({ path }) => isEncrypted(path)));
  return encrypted.some(Boolean);
}

/**
 * Opens the token key alone, which is all that `token create` takes: of those that `root`
 * names the newest that lies there, or the first, while nobody has looked at the root.
 */
export async function openTokenKey(
  directory: string,
  passphrase: string | undefined,
  root?: Pick<RootDocument, 'token'>,
): Promise<TokenKey> {
  const origin = await readOrigin(directory);
  if (root === undefined) {
    return tokenKey(origin, await readKeyFile(join(directory, KEY_FILES.token), passphrase));
  }
  const jwk = presentTokenKey(root, await readRole(directory, 'token', passphrase));
  if (jwk !== undefined) return tokenKey(origin, jwk);
  throw new CodedError('not-found', `${directory} holds no token key that the trust root names`);
}

/** The newest token key of the root among these. */
export function presentTokenKey(
  { token }: Pick<RootDocument, 'token'>,
  held: readonly JWK[],
): JWK | undefined {
  return token.map(({ x }) => held.find((jwk) => jwk.x === x)).findLast((jwk) => jwk !== undefined);
}

/** Opens all keys of a directory. Throws `not-found`, `not-authorised` or `bad-key`. */
export async function openHeldKeys(
  host: Host,
  directory: string,
  passphrase: string | undefined,
): Promise<HeldKeys> {
  const origin = await readOrigin(directory);
  const [log, release, token] = await Promise.all(
    (['log', 'release', 'token'] as const).map((role) => readRole(directory, role, passphrase)),
  );
  return {
    origin,
    log: log!.map((jwk) => signingKey(host, origin, ed25519Seed(jwk, `a log key in ${directory}`))),
    release: release!.map((jwk) => statementSigner(jwk, `a release key in ${directory}`)),
    token: token!,
  };
}

/**
 * The key of a role for version `version` of the root, which is made unless it lies there
 * already: a rotation that broke off goes on with the key that it had made. It is encrypted
 * where its neighbours are, for the server that runs has one passphrase or none.
 */
export async function makeServerKey(
  directory: string,
  role: KeyRole,
  version: number,
  passphrase: string | undefined,
): Promise<JWK> {
  const path = join(directory, `${role}-${version}.key`);
  try {
    return await readKeyFile(path, passphrase);
  } catch (error) {
    if (!isCoded(error, 'not-found')) throw error;
  }
  const jwk = role === 'release' ? newStatementKey() : newEd25519Key();
  await writeKeyFile(path, jwk, (await areEncrypted(directory)) ? passphrase : undefined);
  return jwk;
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
    if (!KEY_FILE.test(name)) {
      throw new CodedError(
        'untrusted',
        `${path} does not belong among the server’s keys: move it elsewhere`,
      );
    }
  }
}

async function readRole(
  directory: string,
  role: KeyRole,
  passphrase: string | undefined,
): Promise<JWK[]> {
  const files = (await keyFiles(directory)).filter((file) => file.role === role);
  return Promise.all(files.map(({ path }) => readKeyFile(path, passphrase)));
}

/** The key files that lie there, those of earlier versions first. */
async function keyFiles(directory: string) {
  const names = await readdir(directory);
  const files = names.flatMap((name) => {
    const match = KEY_FILE.exec(name);
    if (match === null) return [];
    const [, role, version = '1'] = match;
    return [{ path: join(directory, name), role, version: Number(version) }];
  });
  return files.sort((a, b) => a.version - b.version);
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
