/**
 * A passkey's signatures, checked by us and by @simplewebauthn/server, which knows nothing of us:
 * what we take, it takes with the same expectation, and whatever is changed neither takes.
 */
import { describe, expect, test } from '@jest/globals';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import fc from 'fast-check';
import { formatBase64, parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import {
  envelopeToJson,
  formatEnvelope,
  openEnvelope,
  parseEnvelope,
  toSign,
} from '../../../src/core/statement/dsse.ts';
import type { Assertion, Passkey } from '../../../src/core/statement/passkey.ts';
import { checkSignature } from '../../../src/core/statement/signature.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { type Lies, makePasskey, PAGE, RP_ID } from '../../made/passkey.ts';

const TYPE = 'application/vnd.in-toto+json';
const DATA = toSign(TYPE, utf8('hello'));
const passkey = makePasskey();

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

async function weTake(bound: Passkey, data: Uint8Array, assertion: Assertion): Promise<boolean> {
  try {
    return (await checkSignature(nodeHost, bound, data, assertion)).ok;
  } catch {
    return false;
  }
}

/** COSE_Key of an EC2 key on P-256 for ES256 (RFC 9053, section 7.1.1). */
function coseOf({ spki }: Passkey): Uint8Array<ArrayBuffer> {
  const [x, y] = [spki.subarray(27, 59), spki.subarray(59)];
  return Uint8Array.from([
    ...[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, ...x],
    ...[0x22, 0x58, 0x20, ...y],
  ]);
}

async function theyTake(
  bound: Passkey,
  data: Uint8Array,
  { authenticatorData, clientDataJSON, signature }: Assertion,
): Promise<boolean> {
  const id = base64url(Buffer.from(bound.credentialId, 'base64'));
  const response = {
    authenticatorData: base64url(authenticatorData),
    clientDataJSON: base64url(clientDataJSON),
    signature: base64url(signature),
  };
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response },
      expectedChallenge: base64url(nodeHost.sha256(data)),
      expectedOrigin: [...bound.origins],
      expectedRPID: bound.rpId,
      credential: { id, publicKey: coseOf(bound), counter: 0 },
      requireUserVerification: true,
    });
    return verified;
  } catch {
    return false;
  }
}

describe('a passkey’s signature', () => {
  test.each<[string, Lies]>([
    ['as it is made', {}],
    ['with a counter', { counter: 7 }],
    ['of a key that is backed up', { flags: 0x1d }],
    ['of a key that could be backed up', { flags: 0x0d }],
    ['by a browser that says nothing of frames', { client: { crossOrigin: undefined } }],
    ['by a browser that says more', { client: { more: { a: [1] } } }],
  ])('%s is taken, by others too', async (_, lies) => {
    const assertion = passkey.sign(DATA, lies);
    expect(await weTake(passkey.passkey, DATA, assertion)).toBe(true);
    expect(await theyTake(passkey.passkey, DATA, assertion)).toBe(true);
  });

  test('is taken over any statement, and over that one alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), async (one, other) => {
        const [first, second] = [toSign(TYPE, one), toSign(TYPE, other)];
        const assertion = passkey.sign(first);
        const same = Buffer.compare(one, other) === 0;
        expect(await weTake(passkey.passkey, first, assertion)).toBe(true);
        expect(await theyTake(passkey.passkey, first, assertion)).toBe(true);
        expect(await weTake(passkey.passkey, second, assertion)).toBe(same);
        expect(await theyTake(passkey.passkey, second, assertion)).toBe(same);
      }),
      { numRuns: 30 },
    );
  });

  test.each<[string, Lies]>([
    ['at another origin', { client: { origin: 'https://evil.example' } }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['of another ceremony', { client: { type: 'webauthn.create' } }],
    ['over another challenge', { client: { challenge: base64url(nodeHost.sha256(utf8('x'))) } }],
    ['without verification', { flags: 0x01 }],
    ['with nobody there', { flags: 0x04 }],
    ['backed up, and not to be backed up', { flags: 0x15 }],
    ['with a byte too many', { extensions: Uint8Array.of(0) }],
  ])('made %s is taken by nobody', async (_, lies) => {
    const assertion = passkey.sign(DATA, lies);
    expect(await weTake(passkey.passkey, DATA, assertion)).toBe(false);
    expect(await theyTake(passkey.passkey, DATA, assertion)).toBe(false);
  });

  test('is taken by nobody once any bit of what it is over has changed', async () => {
    const honest = passkey.sign(DATA);
    const part = fc.constantFrom('authenticatorData', 'clientDataJSON');
    await fc.assert(
      fc.asyncProperty(part, fc.nat(), fc.nat(7), async (name, at, bit) => {
        const changed = Uint8Array.from(honest[name]);
        changed[at % changed.length]! ^= 1 << bit;
        const assertion = { ...honest, [name]: changed };
        expect(await weTake(passkey.passkey, DATA, assertion)).toBe(false);
        expect(await theyTake(passkey.passkey, DATA, assertion)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('is taken for no other key, relying party or origin', async () => {
    const assertion = passkey.sign(DATA);
    for (const other of [
      { spki: makePasskey().spki },
      { rpId: 'example.org' },
      { origins: ['https://example.org'] },
    ]) {
      const bound = { ...passkey.passkey, ...other };
      expect(await weTake(bound, DATA, assertion)).toBe(false);
      expect(await theyTake(bound, DATA, assertion)).toBe(false);
    }
  });

  test('is taken at each of the key’s origins', async () => {
    const origins = ['https://old.example.org', PAGE];
    const bound = { ...passkey.passkey, origins };
    for (const origin of origins) {
      const assertion = passkey.sign(DATA, { client: { origin } });
      expect(await weTake(bound, DATA, assertion)).toBe(true);
    }
  });
});

describe('an envelope that a passkey signed', () => {
  const payload = utf8('hello');
  const assertion = passkey.sign(DATA);
  const bytes = formatEnvelope(TYPE, payload, assertion);

  test('has what the signature is over beside it, in one form', () => {
    expect(envelopeToJson(parseEnvelope(bytes))).toEqual({
      payload: 'aGVsbG8=',
      payloadType: TYPE,
      signatures: [
        {
          extension: {
            kind: 'application/vnd.weighhouse.webauthn.v1+json',
            ext: {
              authenticatorData: formatBase64(assertion.authenticatorData),
              clientDataJSON: formatBase64(assertion.clientDataJSON),
            },
          },
          sig: formatBase64(assertion.signature),
        },
      ],
    });
    expect(parseEnvelope(bytes)).toEqual({ payloadType: TYPE, payload, signature: assertion });
  });

  test('opens for the passkey, and for the same numbers in no other form', async () => {
    const envelope = parseEnvelope(bytes);
    expect(await openEnvelope(nodeHost, envelope, passkey.passkey)).toMatchObject({ ok: true });
    expect(await openEnvelope(nodeHost, envelope, passkey.spki)).toMatchObject({
      ok: false,
      code: 'signature-invalid',
    });
    const bare = parseEnvelope(formatEnvelope(TYPE, payload, passkey.bare.sign(DATA)));
    expect(await openEnvelope(nodeHost, bare, passkey.passkey)).toMatchObject({ ok: false });
  });

  test.each([
    ['an unknown kind', 'webauthn.v1', 'webauthn.v2'],
    ['a member more', '"kind":', '"k":1,"kind":'],
    ['a member less', /"clientDataJSON":"[^"]*"/.exec(parseUtf8(bytes))![0], '"x":""'],
  ])('is refused with %s', (_, from, to) => {
    expect(() => parseEnvelope(utf8(parseUtf8(bytes).replace(from, to)))).toThrow();
  });

  test('names its relying party in words when it does not fit', async () => {
    const verdict = await openEnvelope(
      nodeHost,
      parseEnvelope(formatEnvelope(TYPE, payload, makePasskey().sign(DATA))),
      passkey.passkey,
    );
    expect(verdict).toMatchObject({
      message: `the signature of the passkey of ${RP_ID} is not by the expected key`,
    });
  });
});
