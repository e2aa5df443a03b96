/**
 * A new registry: its keys, its trust root, its empty log. The root's and the owner's
 * private keys go where they are told, apart from the server's, and no private key ever
 * comes near the store.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { formatVerifierKey, type SigningKey, signingKey, verifierKey } from '../core/note/key.ts';
import { keyId } from '../core/statement/public-key.ts';
import {
  DEFAULT_MAX_AGE,
  fingerprint,
  formatRoot,
  type RootDocument,
  rootToSign,
} from '../core/trust/root.ts';
import { makeFolder } from '../folders.ts';
import { keyFileExists, readKeyFile, writeKeyFile } from '../keyring/file.ts';
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
import { readUnfinished, reopenLogKey } from './finish-init.ts';
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

/** Where the keys go. */
export type KeyPlaces = Pick<InitOptions, 'keysDirectory' | 'rootKeyFile' | 'ownerKeyFile'>;

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
export async function refuseTaken(places: KeyPlaces): Promise<void> {
  const { keysDirectory, rootKeyFile, ownerKeyFile } = places;
  refuseAllInside(places);
  await refuseFull(keysDirectory);
  for (const file of [rootKeyFile, ownerKeyFile]) {
    if (file !== undefined && existsSync(file)) throw keyFileExists(file);
  }
}

/**
 * Makes a registry in an empty store, or finishes one that was stopped before its log began.
 * Throws `conflict` where there is one, in the store or among the keys.
 */
export async function initRegistry(store: Store, options: InitOptions): Promise<NewRegistry> {
  const { host, origin, now, random } = options;
  refuseAllInside(options);
  const unfinished = await readUnfinished(store);
  const { root, log, owner } =
    unfinished === undefined ? await begin(store, options) : await goOn(unfinished, options);
  await createLog({ store, host, origin, keys: [log], time: now, random });
  return { origin, vkey: formatVerifierKey(log), fingerprint: fingerprint(host, root), owner };
}

/** A registry whose log has yet to begin. */
interface Begun {
  readonly root: Uint8Array;
  readonly log: SigningKey;
  readonly owner: StatementSigner | undefined;
}

/** Makes the keys and the trust root that names them. */
async function begin(store: Store, options: InitOptions): Promise<Begun> {
  const { host, origin, keysDirectory, rootKeyFile, ownerKeyFile, passphrase, now } = options;
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
  return { root: rootBytes, log, owner };
}

/** Opens what `begin` made before it was stopped. */
async function goOn(root: Uint8Array, options: InitOptions): Promise<Begun> {
  const { host, origin, keysDirectory, ownerKeyFile, passphrase } = options;
  const log = await reopenLogKey(host, root, origin, keysDirectory, passphrase);
  const owner = ownerKeyFile === undefined ? undefined : await ownerIn(ownerKeyFile, passphrase);
  return { root, log, owner };
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

/** The owner whose key lies there, or a new one. */
async function ownerIn(path: string, passphrase: string | undefined): Promise<StatementSigner> {
  try {
    return statementSigner(await readKeyFile(path, passphrase), path);
  } catch (error) {
    if (isCoded(error, 'not-found')) return newOwner(path, passphrase);
    throw error;
  }
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

/** A root or owner key among the server's would be lost with them. */
function refuseAllInside({ keysDirectory, rootKeyFile, ownerKeyFile }: KeyPlaces): void {
  refuseInside(keysDirectory, rootKeyFile, 'root');
  if (ownerKeyFile !== undefined) refuseInside(keysDirectory, ownerKeyFile, 'owner');
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
