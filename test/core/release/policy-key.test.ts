import { describe, expect, test } from '@jest/globals';
import { formatBase64 } from '../../../src/core/bytes.ts';
import { checkEnrolments } from '../../../src/core/release/enrolment.ts';
import {
  formatPolicy,
  type Policy,
  parsePolicy,
  soloPolicy,
} from '../../../src/core/release/policy.ts';
import {
  describeKey,
  MAX_CREDENTIAL_ID_BYTES,
  MAX_ORIGINS,
  type PolicyKey,
  policyKey,
  signingKeyOf,
} from '../../../src/core/release/policy-key.ts';
import { compareStrictness } from '../../../src/core/release/strictness.ts';
import type { Passkey } from '../../../src/core/statement/passkey.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { makePasskey } from '../../made/passkey.ts';

const file = enrolled(makeKey(), { person: 'ada' });

/** Ada's policy with one more key of hers. */
function policyWith(...more: PolicyKey[]): Policy {
  const solo = soloPolicy(ORIGIN, 'acme', { id: 'ada', name: 'Ada', key: file });
  return { ...solo, people: [{ id: 'ada', name: 'Ada', keys: [file, ...more] }] };
}

const passkeyIn = (binding: Partial<Passkey> = {}) =>
  enrolled(makePasskey(binding), { person: 'ada' });

describe('a passkey in a policy', () => {
  test('reads back as it was written, and is there by the will of its holder', async () => {
    const made = makePasskey();
    const policy = parsePolicy(formatPolicy(policyWith(enrolled(made, { person: 'ada' }))));
    expect(signingKeyOf(policy.people[0]!.keys[1]!)).toEqual(made.passkey);
    expect(await checkEnrolments(nodeHost, policy)).toEqual({ ok: true });
    expect(policy.people[0]!.keys.map(describeKey)).toEqual([
      'a key',
      'a passkey of models.example.org',
    ]);
  });

  test.each([
    ['models.example.org', ['https://models.example.org']],
    ['example.org', ['https://models.example.org', 'https://example.org:8443']],
    ['localhost', ['http://localhost:8080']],
    ['localhost', ['http://registry.localhost']],
    ['xn--bcher-kva.example', ['https://xn--bcher-kva.example']],
  ])('may be of %s, and sign at %p', (rpId, origins) => {
    expect(() => formatPolicy(policyWith(passkeyIn({ rpId, origins })))).not.toThrow();
  });

  const HOST = 'must be a host name in lower case, and no IP address';
  const PLACES = /its origins must be https:\/\/HOST\[:PORT\]/;
  test.each<[string, Partial<Passkey>, string | RegExp]>([
    ['an address as relying party', { rpId: '127.0.0.1' }, HOST],
    ['an IPv6 address', { rpId: '[::1]' }, HOST],
    ['a host in capitals', { rpId: 'Models.example.org' }, HOST],
    ['a URL as relying party', { rpId: 'https://models.example.org' }, HOST],
    ['no origin', { origins: [] }, 'a passkey signs at one origin at least'],
    ['an origin of another host', { origins: ['https://evil.example'] }, PLACES],
    ['a host that only ends alike', { origins: ['https://evilmodels.example.org'] }, PLACES],
    ['an origin without TLS', { origins: ['http://models.example.org'] }, PLACES],
    ['an origin with its own port', { origins: ['https://models.example.org:443'] }, PLACES],
    ['a port that does not exist', { origins: ['https://models.example.org:65536'] }, PLACES],
    ['an origin with a path', { origins: ['https://models.example.org/'] }, PLACES],
    ['an app’s origin', { origins: ['android:apk-key-hash:abc'] }, PLACES],
    ['no credential', { credentialId: '' }, 'must not be empty'],
    [
      'an origin twice',
      { origins: ['https://models.example.org', 'https://models.example.org'] },
      'an origin stands twice',
    ],
  ])('is refused with %s', (_, binding, why) => {
    expect(() => formatPolicy(policyWith(passkeyIn(binding)))).toThrow(why);
  });

  test('has up to so many origins, and an id of up to so many bytes', () => {
    const origins = (count: number) =>
      Array.from({ length: count }, (_, i) => `https://models.example.org:${8000 + i}`);
    const credential = (bytes: number) => formatBase64(new Uint8Array(bytes));
    const parse = (binding: Partial<Passkey>) => formatPolicy(policyWith(passkeyIn(binding)));
    expect(() => parse({ origins: origins(MAX_ORIGINS) })).not.toThrow();
    expect(() => parse({ origins: origins(MAX_ORIGINS + 1) })).toThrow('4 origins at most');
    expect(() => parse({ credentialId: credential(MAX_CREDENTIAL_ID_BYTES) })).not.toThrow();
    expect(() => parse({ credentialId: credential(MAX_CREDENTIAL_ID_BYTES + 1) })).toThrow(
      'base64 of at most 1023 bytes',
    );
  });

  test('is refused with what no authenticator says', () => {
    const { passkey, ...key } = passkeyIn();
    const broken = {
      ...key,
      passkey: { ...passkey!, clientDataJSON: formatBase64(Uint8Array.of(0x5b, 0x5d)) },
    };
    expect(() => formatPolicy(policyWith(broken))).toThrow(
      'is not what an authenticator and a browser say when they sign',
    );
  });

  test('is not the only key of an owner: passkeys sign no policies on the command line', () => {
    const { people: _, ...policy } = policyWith();
    const only = { ...policy, people: [{ id: 'ada', name: 'Ada', keys: [passkeyIn()] }] };
    expect(() => formatPolicy(only)).toThrow(
      'the owner "ada" has only passkeys, which sign no policies; enrol a key beside',
    );
    const lost = { ...file, revoked: true as const };
    const revoked = { ...policy, people: [{ id: 'ada', name: 'Ada', keys: [lost, passkeyIn()] }] };
    expect(() => formatPolicy(revoked)).toThrow('has only passkeys');
  });

  test('is looser wherever it signs at another place', () => {
    const key = passkeyIn();
    const moved = {
      ...key,
      passkey: { ...key.passkey!, origins: ['https://a.models.example.org'] },
    };
    expect(compareStrictness(policyWith(key), policyWith(key))).toBe('same');
    expect(compareStrictness(policyWith(key), policyWith(moved))).toBe('looser');
    expect(compareStrictness(policyWith(), policyWith(key))).toBe('looser');
  });

  test('is made of a passkey and its own signature alone', () => {
    const made = makePasskey();
    const bytes = Uint8Array.of(1);
    expect(() => policyKey(made.passkey, made.bare.sign(bytes))).toThrow(TypeError);
    expect(() => policyKey(made.spki, made.sign(bytes))).toThrow(TypeError);
  });
});
