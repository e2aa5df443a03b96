/**
 * A new registry: its keys, its trust root, its empty log. The root's and the owner's
 * private keys go where they are told, apart from the server's, and no private key ever
 * comes near the store.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { formatVerifierKey, signingKey, verifierKey } from '../core/note/key.ts';
import { keyId } from '../core/statement/public-key.ts';
import {
  DEFAULT_MAX_AGE,
  fingerprint,
  formatRoot,
  type RootDocument,
  rootToSign,
} from '../core/trust/root.ts';
import { makeFolder } from '../folders.ts';
import { keyFileExists, writeKeyFile } from '../keyring/file.ts';
import {
  ed25519Seed,
  newEd25519Key,
  newStatementKey,
  publicJwk,
  type StatementSigner,
  statementSigner,
} from '../keyring/keys.ts';
import { createLog } from '../log/recover.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { KEY_FILES, writeRegistryFile } from './keys-directory.ts';

/** How long the first trust root is good: a year, in milliseconds. */
const ROOT_LIFETIME = 365 * 24 * 3600 * 1000;

export interface InitOptions {
  readonly host: Host;
  readonly origin: Origin;
  readonly keysDirectory: string;
  /** Where the root's private key goes; outside `keysDirectory`. */
  readonly rootKeyFile: string;
  /** Where the first owner's private key goes, when a namespace is wanted; likewise outside. */
  readonly ownerKeyFile: string | undefined;
  /** Undefined leaves the key files unencrypted. */
  readonly passphrase: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly random: Uint8Array;
}

export interface NewRegistry {
  readonly origin: Origin;
  /** The log's verifier key. */
  readonly vkey: string;
  /** SHA-256 of the trust root's first version: what people compare before they pin it. */
  readonly fingerprint: Digest;
  /** Signs for the first owner, when a namespace is wanted. */
  readonly owner: StatementSigner | undefined;
}

/**
 * Throws `conflict` or `usage` unless all keys have a free place; makes nothing. For whoever
 * would make something before `initRegistry` asks: a refusal leaves no half a registry behind.
 */
export async function refuseTaken(
  places: Pick<InitOptions, 'keysDirectory' | 'rootKeyFile' | 'ownerKeyFile'>,
): Promise<void> {
  const { keysDirectory, rootKeyFile, ownerKeyFile } = places;
  refuseInside(keysDirectory, rootKeyFile, 'root');
  if (ownerKeyFile !== undefined) refuseInside(keysDirectory, ownerKeyFile, 'owner');
  await refuseFull(keysDirectory);
  for (const file of [rootKeyFile, ownerKeyFile]) {
    if (file !== undefined && existsSync(file)) throw keyFileExists(file);
  }
}

/** Makes a registry in an empty store. Throws `conflict` where there is one, in the store or among the keys. */
export async function initRegistry(store: Store, options: InitOptions): Promise<NewRegistry> {
  const { host, origin, keysDirectory, rootKeyFile, ownerKeyFile, passphrase, now, random } =
    options;
  await refuseTaken(options);
  if (
    (await store.size(keys.checkpoint())) !== undefined ||
    (await store.size(keys.root(1))) !== undefined
  ) {
    throw new CodedError('conflict', `${store.name} holds a registry already`);
  }
  await makeFolder(keysDirectory, 0o700);

  const made = {
    root: newStatementKey(),
    log: newEd25519Key(),
    release: newStatementKey(),
    token: newEd25519Key(),
  };
  const log = signingKey(host, origin, ed25519Seed(made.log, 'the new log key'));
  const release = statementSigner(made.release, 'the new release key');
  const rootBytes = await signRoot(host, statementSigner(made.root, 'the new root key'), {
    version: 1,
    origin,
    issued: new Date(now).toISOString(),
    expires: new Date(now + ROOT_LIFETIME).toISOString(),
    threshold: 1,
    keys: [statementSigner(made.root, 'the new root key').spki],
    log: [{ key: verifierKey(host, origin, log.type, log.publicKey), from: 0 }],
    release: [{ spki: release.spki, from: 0 }],
    token: [tokenPublic(publicJwk(made.token))],
    maxAge: DEFAULT_MAX_AGE,
  });

  await writeKeyFile(rootKeyFile, made.root, passphrase);
  for (const name of ['log', 'release', 'token'] as const) {
    await writeKeyFile(join(keysDirectory, KEY_FILES[name]), made[name], passphrase);
  }
  await writeRegistryFile(keysDirectory, origin);
  const owner = ownerKeyFile === undefined ? undefined : await newOwner(ownerKeyFile, passphrase);
  await store.create(keys.root(1), rootBytes);
  await createLog({ store, host, origin, keys: [log], time: now, random });
  return { origin, vkey: formatVerifierKey(log), fingerprint: fingerprint(host, rootBytes), owner };
}

async function signRoot(
  host: Host,
  signer: StatementSigner,
  document: RootDocument,
): Promise<Uint8Array> {
  const signature = await signer.sign(rootToSign(host, document));
  return formatRoot(host, {
    document,
    signatures: [{ keyId: keyId(host, signer.spki), signature }],
  });
}

async function newOwner(path: string, passphrase: string | undefined): Promise<StatementSigner> {
  const jwk = newStatementKey();
  await writeKeyFile(path, jwk, passphrase);
  return statementSigner(jwk, path);
}

function tokenPublic(jwk: { readonly x?: string }): RootDocument['token'][number] {
  if (jwk.x === undefined) throw new CodedError('internal', 'the new token key has no public half');
  return { kty: 'OKP', crv: 'Ed25519', x: jwk.x };
}

async function refuseFull(directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (found.length > 0) {
    throw new CodedError(
      'conflict',
      `${directory} is not empty: a registry's keys get a directory of their own`,
    );
  }
}

function refuseInside(directory: string, file: string, whose: string): void {
  const path = relative(directory, file);
  if (path !== '' && !path.startsWith('..')) {
    throw new CodedError(
      'usage',
      `the ${whose}’s private key may not lie among the server’s, in ${directory}`,
    );
  }
}
