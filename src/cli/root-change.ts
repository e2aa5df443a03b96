/** What a person asked to change of the trust root: from flags to a `RootChange`. */
import { readFile } from 'node:fs/promises';
import { parseUtf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { signingKey, verifierKey } from '../core/note/key.ts';
import { keyId, parsePem, type Spki } from '../core/statement/public-key.ts';
import type { RootChange } from '../core/trust/change.ts';
import { presentLogKey } from '../core/trust/periods.ts';
import type { RootDocument, TokenKey } from '../core/trust/root.ts';
import { nodeHost } from '../hashing/host.ts';
import { ed25519Seed, publicJwk, statementSigner } from '../keyring/keys.ts';
import { makeServerKey } from '../operator/keys-directory.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { parseCount, parseDuration } from './units.ts';

/** Where the registry is. */
export interface PlaceFlags extends PassphraseFlags {
  readonly store: string;
  readonly keys: string;
}

export interface ChangeFlags extends PlaceFlags {
  readonly expires: string;
  readonly removeKey?: readonly string[];
  readonly addKey?: readonly string[];
  readonly threshold?: string;
  readonly newReleaseKey?: boolean;
  readonly at?: string;
  readonly compromisedFrom?: string;
  readonly newTokenKey?: boolean;
  readonly dropTokenKeys?: boolean;
  readonly newLogKey?: boolean;
  readonly maxAge?: string;
  readonly witnessPolicy?: string;
}

/** Everything but the server's new keys, which are only made once it is known that they may be. */
export async function readChange(flags: ChangeFlags): Promise<RootChange> {
  refuseLonely(flags);
  const { threshold, maxAge, witnessPolicy } = flags;
  return {
    lifetime: parseDuration(flags.expires, '--expires') * 1000,
    addKeys: await Promise.all((flags.addKey ?? []).map(readPem)),
    removeKeys: await Promise.all((flags.removeKey ?? []).map(readKeyId)),
    ...(threshold === undefined ? {} : { threshold: parseCount(threshold, '--threshold') }),
    ...(maxAge === undefined ? {} : { maxAge: parseDuration(maxAge, '--max-age') }),
    ...(witnessPolicy === undefined
      ? {}
      : { witnessPolicy: witnessPolicy === 'none' ? null : await readText(witnessPolicy) }),
    ...(flags.dropTokenKeys === true ? { token: { dropOthers: true } } : {}),
  };
}

/** The change with the keys that it takes, made in the keys directory or found there. */
export async function withServerKeys(
  change: RootChange,
  flags: ChangeFlags,
  before: RootDocument,
  passphrase: string | undefined,
): Promise<RootChange> {
  const make = (role: Parameters<typeof makeServerKey>[1]) =>
    makeServerKey(flags.keys, role, before.version + 1, passphrase);
  const { newReleaseKey, newTokenKey, newLogKey, at, compromisedFrom } = flags;
  return {
    ...change,
    ...(newReleaseKey === true
      ? {
          release: {
            spki: statementSigner(await make('release'), 'the new release key').spki,
            ...(at === undefined ? {} : { at: parseCount(at, '--at') }),
            ...(compromisedFrom === undefined
              ? {}
              : { compromisedFrom: parseCount(compromisedFrom, '--compromised-from') }),
          },
        }
      : {}),
    ...(newTokenKey === true
      ? { token: { ...change.token, add: publicJwk(await make('token')) as TokenKey } }
      : {}),
    ...(newLogKey === true ? { log: await logKeyOf(before, await make('log')) } : {}),
  };
}

/** May releases that are logged by now be believed no more? Only where a person said so. */
export function isCompromised({ release }: RootChange): boolean {
  return release?.compromisedFrom !== undefined;
}

async function logKeyOf(before: RootDocument, jwk: Parameters<typeof ed25519Seed>[0]) {
  const { name } = presentLogKey(before);
  const { type, publicKey } = signingKey(nodeHost, name, ed25519Seed(jwk, 'the new log key'));
  return verifierKey(nodeHost, name, type, publicKey);
}

function refuseLonely({ newReleaseKey, at, compromisedFrom }: ChangeFlags): void {
  if (newReleaseKey === true) return;
  const lonely = at !== undefined ? '--at' : compromisedFrom && '--compromised-from';
  if (lonely) throw new CodedError('usage', `${lonely} goes with --new-release-key`);
}

/** A key's ID, or the file that has its public half. */
async function readKeyId(text: string): Promise<string> {
  return /^[0-9a-f]{64}$/.test(text) ? text : keyId(nodeHost, await readPem(text));
}

async function readPem(path: string): Promise<Spki> {
  return parsePem(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `${path} cannot be read (${error.code})`);
  });
  return parseUtf8(new Uint8Array(bytes), path);
}
