/**
 * Keys of signed notes (C2SP signed-note, "Signatures" and "Verifier keys").
 *
 * A key has a name, by convention a URL without scheme, and a 32-bit ID that binds name,
 * signature type and public key:
 *
 *     ID = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[0:4]
 *
 * A verifier key (vkey) is one line of text, the ID in hex, type and key in base64:
 *
 *     example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
 *     name            ID       type 01, 32 bytes of Ed25519 public key
 *
 * A signing key (skey, as Go's note package writes it) holds the 32-byte seed instead:
 *
 *     PRIVATE+KEY+example.com/foo+530d903a+AQEBAQ…
 *
 * The name cannot hold a plus, but base64 can: only the first two of a vkey separate.
 * Types that we cannot verify are read and kept, for they stand in policies of others.
 */
import { concat, equal, formatBase64, formatHex, parseBase64, parseHex, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { PUBLIC_KEY_BYTES, publicKeyOf, SEED_BYTES } from './ed25519.ts';
import { recode } from './line.ts';

declare const brand: unique symbol;

/** A checked key name. */
export type KeyName = string & { readonly [brand]: 'KeyName' };

/** Signature type identifiers that we know by name. */
export const SIGNATURE_TYPE = {
  ed25519: 0x01,
  ecdsa: 0x02,
  cosignature: 0x04,
  cosignatureMlDsa44: 0x06,
} as const;

/** Bytes of an ML-DSA-44 public key (FIPS 204, table 2). */
const ML_DSA_44_PUBLIC_KEY_BYTES = 1312;

/** More than the longest key that has a type (ML-DSA-44 in base64, with a long name). */
export const MAX_KEY_LENGTH = 4096;

const SIGNING_KEY_PREFIX = 'PRIVATE+KEY+';

/** What is needed to recognise a key's signatures, whatever their type. */
export interface VerifierKey {
  readonly name: KeyName;
  /** Unsigned 32 bits. Identifies together with the name; it is no commitment to the key. */
  readonly id: number;
  /** Signature type identifier: one of SIGNATURE_TYPE, or one we do not know. */
  readonly type: number;
  readonly publicKey: Uint8Array;
}

/** An Ed25519 key that signs notes (type 01) or cosigns checkpoints (type 04). */
export interface SigningKey extends VerifierKey {
  readonly seed: Uint8Array;
}

/** Parses a key name: not empty, no Unicode space, no plus, no control character. Throws `bad-key`. */
export function parseKeyName(text: string): KeyName {
  if (text === '' || /[\p{White_Space}\p{Cc}+]/u.test(text) || !text.isWellFormed()) {
    throw new CodedError('bad-key', 'a key name must not be empty nor hold a space or a "+"');
  }
  return text as KeyName;
}

/** The verifier key of `publicKey` under `name`. Throws `bad-key`. */
export function verifierKey(
  host: Host,
  name: string,
  type: number,
  publicKey: Uint8Array,
): VerifierKey {
  const checked = parseKeyName(name);
  requireLength(type, publicKey);
  return { name: checked, id: keyId(host, checked, type, publicKey), type, publicKey };
}

/** The signing key of an Ed25519 `seed` under `name`. Throws `bad-key`. */
export function signingKey(
  host: Host,
  name: string,
  seed: Uint8Array,
  type: number = SIGNATURE_TYPE.ed25519,
): SigningKey {
  requireSigningType(type);
  if (seed.length !== SEED_BYTES) {
    throw new CodedError('bad-key', `the seed of a signing key must have ${SEED_BYTES} bytes`);
  }
  return { ...verifierKey(host, name, type, publicKeyOf(seed)), seed };
}

/** Parses `name+id+base64`. The ID must fit the key wherever its type says how. Throws `bad-key`. */
export function parseVerifierKey(host: Host, text: string): VerifierKey {
  const { name, id, type, material } = parseParts(text);
  requireLength(type, material);
  if (hasDerivedId(type) && id !== keyId(host, name, type, material)) {
    throw new CodedError('bad-key', `the verifier key "${name}" has an ID that is not its own`);
  }
  return { name, id, type, publicKey: material };
}

/** `name+id+base64`. */
export function formatVerifierKey(key: VerifierKey): string {
  return formatParts(key, key.publicKey);
}

/** Parses `PRIVATE+KEY+name+id+base64`. Throws `bad-key`, never quoting the key. */
export function parseSigningKey(host: Host, text: string): SigningKey {
  if (!text.startsWith(SIGNING_KEY_PREFIX)) {
    throw new CodedError('bad-key', `a signing key must begin with ${SIGNING_KEY_PREFIX}`);
  }
  const { name, id, type, material } = parseParts(text.slice(SIGNING_KEY_PREFIX.length));
  const key = signingKey(host, name, material, type);
  if (key.id !== id) {
    throw new CodedError('bad-key', `the signing key "${name}" has an ID that is not its own`);
  }
  return key;
}

/** `PRIVATE+KEY+name+id+base64`: a secret. */
export function formatSigningKey(key: SigningKey): string {
  return SIGNING_KEY_PREFIX + formatParts(key, key.seed);
}

/** Are these one key: same name, type and public key? */
export function sameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && a.type === b.type && equal(a.publicKey, b.publicKey);
}

function parseParts(text: string) {
  const first = text.indexOf('+');
  const second = text.indexOf('+', first + 1);
  if (text.length > MAX_KEY_LENGTH || first < 0 || second < 0) {
    throw new CodedError('bad-key', 'a key must have the form name+id+base64');
  }
  const name = parseKeyName(text.slice(0, first));
  const what = `the key "${name}"`;
  const id = recode('bad-key', what, () => parseHex(text.slice(first + 1, second), 4));
  const typed = recode('bad-key', what, () => parseBase64(text.slice(second + 1)));
  if (typed.length < 2) throw new CodedError('bad-key', `${what} holds no key`);
  return { name, id: parseId(id), type: typed[0]!, material: typed.slice(1) };
}

function formatParts(key: VerifierKey, material: Uint8Array): string {
  const typed = concat(Uint8Array.of(key.type), material);
  return `${key.name}+${formatHex(formatId(key.id))}+${formatBase64(typed)}`;
}

/** ECDSA IDs hash the SPKI alone; of types we do not know, we do not know the rule. */
function hasDerivedId(type: number): boolean {
  const { ed25519, ecdsa, cosignature, cosignatureMlDsa44 } = SIGNATURE_TYPE;
  return type === ed25519 || type === ecdsa || type === cosignature || type === cosignatureMlDsa44;
}

function keyId(host: Host, name: KeyName, type: number, publicKey: Uint8Array): number {
  if (type === SIGNATURE_TYPE.ecdsa) return parseId(host.sha256(publicKey));
  return parseId(host.sha256(concat(utf8(name), Uint8Array.of(0x0a, type), publicKey)));
}

/** The big-endian number in the first four bytes. */
export function parseId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

/** Four bytes, big-endian. */
export function formatId(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

function requireLength(type: number, publicKey: Uint8Array): void {
  const { ed25519, cosignature, cosignatureMlDsa44 } = SIGNATURE_TYPE;
  const length =
    type === ed25519 || type === cosignature
      ? PUBLIC_KEY_BYTES
      : type === cosignatureMlDsa44
        ? ML_DSA_44_PUBLIC_KEY_BYTES
        : publicKey.length;
  if (publicKey.length !== length || length === 0) {
    throw new CodedError(
      'bad-key',
      `a public key of type ${type} must have ${length} bytes, not ${publicKey.length}`,
    );
  }
}

function requireSigningType(type: number): void {
  if (type !== SIGNATURE_TYPE.ed25519 && type !== SIGNATURE_TYPE.cosignature) {
    throw new CodedError('bad-key', `a signing key must be of type 1 or 4, not ${type}`);
  }
}
