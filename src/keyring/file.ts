/**
 * Private keys at rest. A key file holds one JWK (RFC 7517), encrypted as a compact JWE
 * (RFC 7516, PBES2-HS512+A256KW with A256GCM) when there is a passphrase, as plain JSON when
 * its owner chose to have none. Mode 0600, never overwritten, never in the object store.
 */
import { chmod, link, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CompactEncrypt, compactDecrypt, type JWK } from 'jose';
import { parseUtf8, utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { type JsonObject, parseJson } from '../core/json.ts';
import { makeFolder } from '../folders.ts';

/** PBKDF2 rounds for HMAC-SHA-512: what OWASP asks for. */
const ROUNDS = 210_000;
/** Bytes of a key file. */
const LIMITS = { maxBytes: 16_384, maxDepth: 3 };

/** Writes a new key file; throws `conflict` when there is one already. */
export async function writeKeyFile(
  path: string,
  jwk: JWK,
  passphrase: string | undefined,
): Promise<void> {
  await makeFolder(dirname(path), 0o700);
  const bytes =
    passphrase === undefined ? utf8(`${JSON.stringify(jwk)}\n`) : await encrypt(jwk, passphrase);
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
    await chmod(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw keyFileExists(path);
  } finally {
    await rm(temporary, { force: true });
  }
}

export function keyFileExists(path: string): CodedError {
  return new CodedError('conflict', `${path} exists already; a key file is never overwritten`);
}

/** Is the key in that file encrypted? Throws as `readKeyFile`. */
export async function isEncrypted(path: string): Promise<boolean> {
  return !(await readText(path)).startsWith('{');
}

/**
 * The key in a file. Throws `not-found`, `bad-key` for what is no key file, and
 * `not-authorised` for a missing or wrong passphrase.
 */
export async function readKeyFile(path: string, passphrase: string | undefined): Promise<JWK> {
  const text = await readText(path);
  if (text.startsWith('{')) return parseJwk(utf8(text), path);
  if (passphrase === undefined) {
    throw new CodedError(
      'not-authorised',
      `${path} is encrypted: give its passphrase (WEIGHHOUSE_PASSPHRASE or --passphrase-file)`,
    );
  }
  try {
    const { plaintext } = await compactDecrypt(text.trim(), utf8(passphrase), {
      keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxPBES2Count: ROUNDS,
    });
    return parseJwk(plaintext, path);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError(
      'not-authorised',
      `${path} does not open with that passphrase`,
      {},
      { cause: error },
    );
  }
}

async function encrypt(jwk: JWK, passphrase: string): Promise<Uint8Array> {
  const jwe = await new CompactEncrypt(utf8(JSON.stringify(jwk)))
    .setProtectedHeader({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', cty: 'jwk+json' })
    .setKeyManagementParameters({ p2c: ROUNDS })
    .encrypt(utf8(passphrase));
  return utf8(`${jwe}\n`);
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CodedError('not-found', `there is no key file ${path}`);
  }
  if (bytes.length > LIMITS.maxBytes)
    throw new CodedError('bad-key', `${path} is too large for a key file`);
  return parseUtf8(bytes, path);
}

function parseJwk(bytes: Uint8Array, path: string): JWK {
  const jwk = parseJson(bytes, path, LIMITS);
  if (
    typeof jwk !== 'object' ||
    jwk === null ||
    Array.isArray(jwk) ||
    typeof (jwk as JsonObject).kty !== 'string'
  ) {
    throw new CodedError('bad-key', `${path} holds no JWK`);
  }
  return jwk as JWK;
}
