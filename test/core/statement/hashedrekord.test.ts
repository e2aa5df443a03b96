import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { toSign } from '../../../src/core/statement/dsse.ts';
import {
  checkRecord,
  formatHashedRekord,
  parseHashedRekord,
  recordOf,
} from '../../../src/core/statement/hashedrekord.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';

const key = makeKey();
const envelopeOf = (text: string, signer = key) => {
  const payload = utf8(text);
  return {
    payloadType: 'text/plain',
    payload,
    signature: signer.sign(toSign('text/plain', payload)),
  };
};
const envelope = envelopeOf('hello');
const body = formatHashedRekord(recordOf(nodeHost, envelope, key.spki));

describe('a hashedrekord', () => {
  test('reads back what was written', () => {
    expect(parseHashedRekord(body)).toEqual(recordOf(nodeHost, envelope, key.spki));
  });

  test('is, to the byte, the form that Rekor gives version 0.0.2', () => {
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    const digest = base64(nodeHost.sha256(toSign('text/plain', envelope.payload)));
    expect(parseUtf8(body)).toBe(
      `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${digest}"},"signature":{"content":"${base64(envelope.signature)}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${base64(key.spki)}"}}}}}}`,
    );
  });

  test('is that of its own envelope and key, and of no other', () => {
    const record = parseHashedRekord(body);
    const other = makeKey();
    expect(checkRecord(nodeHost, record, envelope, key.spki)).toEqual({ ok: true });
    const refused = { ok: false, code: 'proof-invalid' };
    expect(checkRecord(nodeHost, record, envelope, other.spki)).toMatchObject(refused);
    expect(checkRecord(nodeHost, record, envelopeOf('other'), key.spki)).toMatchObject(refused);
    // ECDSA is randomised: the same bytes signed again are another signature.
    expect(checkRecord(nodeHost, record, envelopeOf('hello'), key.spki)).toMatchObject(refused);
  });

  test('is refused, or records something else, after a change of any one byte', () => {
    for (let at = 0; at < body.length; at++) {
      const bumped = body.slice();
      bumped[at]! ^= 1;
      let record: ReturnType<typeof parseHashedRekord>;
      try {
        record = parseHashedRekord(bumped);
      } catch {
        continue;
      }
      expect(checkRecord(nodeHost, record, envelope, key.spki)).toMatchObject({ ok: false });
    }
  });

  type Shown = { spec: { hashedRekordV002: { data: object; signature: object } } } & object;

  test.each<[string, (it: Shown) => void]>([
    ['a further key', (it) => Object.assign(it, { extra: 1 })],
    ['another version', (it) => Object.assign(it, { apiVersion: '0.0.1' })],
    [
      'another algorithm',
      (it) => Object.assign(it.spec.hashedRekordV002.data, { algorithm: 'SHA2_512' }),
    ],
    [
      'a digest of 31 bytes',
      (it) => Object.assign(it.spec.hashedRekordV002.data, { digest: `${'A'.repeat(42)}==` }),
    ],
    [
      'a signature that is not DER',
      (it) => Object.assign(it.spec.hashedRekordV002.signature, { content: 'AAAA' }),
    ],
  ])('with %s is refused', (_, change) => {
    const it = JSON.parse(parseUtf8(body)) as Shown;
    change(it);
    expect(() => parseHashedRekord(formatCanonical(it as never))).toThrowWithCode('bad-entry');
  });
});
