/**
 * An authenticator and a browser in software: what they say is said as they would say it (Web
 * Authentication, Level 3, sections 5.8.1 and 6.1), or as somebody who lies would.
 */
import { createHash } from 'node:crypto';
import { concat, formatBase64, utf8 } from '../../src/core/bytes.ts';
import type { Assertion, Passkey } from '../../src/core/statement/passkey.ts';
import type { Spki } from '../../src/core/statement/public-key.ts';
import type { Signature } from '../../src/core/statement/signature.ts';
import { type MadeKey, makeKey } from './p256.ts';

/** A key of either form. */
export interface AnyKey {
  readonly spki: Spki;
  readonly passkey?: Passkey;
  sign(bytes: Uint8Array): Signature;
}

export const RP_ID = 'models.example.org';
export const PAGE = 'https://models.example.org';

/** 0x01 user present, 0x04 user verified. */
export const PRESENT_AND_VERIFIED = 0x05;

/** What is said otherwise than an honest authenticator and browser would. */
export interface Lies {
  readonly rpId?: string;
  readonly flags?: number;
  readonly counter?: number;
  /** Appended to the authenticator data. */
  readonly extensions?: Uint8Array;
  /** Members of the client data. */
  readonly client?: Readonly<Record<string, unknown>>;
  /** The client data whole, as text. */
  readonly clientText?: (honest: string) => string;
}

export interface MadePasskey extends AnyKey {
  readonly passkey: Passkey;
  /** The same numbers, signing bytes as they are: what no authenticator does. */
  readonly bare: MadeKey;
  sign(bytes: Uint8Array, lies?: Lies): Assertion;
}

export function makePasskey(binding: Partial<Passkey> = {}): MadePasskey {
  const bare = makeKey();
  const { spki } = bare;
  const credentialId = formatBase64(sha256(spki).subarray(0, 16));
  const passkey: Passkey = { spki, rpId: RP_ID, origins: [PAGE], credentialId, ...binding };
  return {
    spki,
    passkey,
    bare,
    sign(bytes, lies = {}) {
      const authenticatorData = authenticatorDataOf(passkey, lies);
      const clientDataJSON = clientDataOf(passkey, bytes, lies);
      const signature = bare.sign(concat(authenticatorData, sha256(clientDataJSON)));
      return { authenticatorData, clientDataJSON, signature };
    },
  };
}

/** The passkey, as somebody uses it who says something otherwise. */
export function telling(passkey: MadePasskey, lies: Lies): AnyKey {
  return { ...passkey, sign: (bytes) => passkey.sign(bytes, lies) };
}

function authenticatorDataOf(passkey: Passkey, lies: Lies): Uint8Array {
  const { rpId = passkey.rpId, flags = PRESENT_AND_VERIFIED, counter = 0 } = lies;
  const signCount = new Uint8Array(4);
  new DataView(signCount.buffer).setUint32(0, counter);
  const { extensions = new Uint8Array() } = lies;
  return concat(sha256(utf8(rpId)), Uint8Array.of(flags), signCount, extensions);
}

function clientDataOf({ origins }: Passkey, bytes: Uint8Array, lies: Lies): Uint8Array {
  const challenge = Buffer.from(sha256(bytes)).toString('base64url');
  const [origin] = origins;
  const said = { type: 'webauthn.get', challenge, origin, crossOrigin: false, ...lies.client };
  const text = JSON.stringify(said);
  return utf8(lies.clientText?.(text) ?? text);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
