import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8 } from '../../../src/core/bytes.ts';
import { formatDigest } from '../../../src/core/digest.ts';
import { formatCanonical, type Json } from '../../../src/core/json.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { formatGateSummary, parseGateSummary } from '../../../src/core/statement/verdict.ts';
import { day, RELEASE, SEALED } from '../../made/decisions.ts';
import { ORIGIN } from '../../made/model-signature.ts';

const summary = {
  origin: ORIGIN,
  release: parseReleaseName(RELEASE),
  digest: SEALED,
  policy: { index: 7, digest: SEALED },
  time: day(1),
  inputs: [SEALED],
};

describe('the verdict of the gate', () => {
  test('is a SLSA verification summary', () => {
    const { predicate, predicateType } = JSON.parse(parseUtf8(formatGateSummary(summary)));
    expect(predicateType).toBe('https://slsa.dev/verification_summary/v1');
    expect(predicate).toEqual({
      verifier: { id: 'https://weighhouse.dev/gate/v0.1' },
      timeVerified: day(1),
      resourceUri: `${ORIGIN}/${RELEASE}`,
      policy: {
        uri: `https://${ORIGIN}/api/v1/namespaces/acme/policy?index=7`,
        digest: { sha256: SEALED.slice(7) },
      },
      inputAttestations: [{ digest: { sha256: SEALED.slice(7) } }],
      verificationResult: 'PASSED',
      verifiedLevels: [],
    });
  });

  test('reads back what was written', () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(formatDigest);
    const index = fc.maxSafeNat();
    fc.assert(
      fc.property(digest, index, fc.array(digest), (policy, at, inputs) => {
        const made = { ...summary, policy: { index: at, digest: policy }, inputs };
        expect(parseGateSummary(formatGateSummary(made))).toEqual(made);
      }),
    );
  });

  type Shown = {
    subject: { name: string }[];
    predicate: {
      resourceUri: string;
      verificationResult: string;
      policy: { uri: string };
    } & Record<string, unknown>;
  };

  test.each<[string, (it: Shown) => unknown]>([
    ['another release in its subject', (it) => (it.subject[0]!.name = 'acme/other@v1')],
    ['two subjects', (it) => it.subject.push(it.subject[0]!)],
    ['another resource', (it) => (it.predicate.resourceUri = 'other.example/acme/kimi-k2@v1.0')],
    ['FAILED', (it) => (it.predicate.verificationResult = 'FAILED')],
    [
      'a level that nobody verified',
      (it) => (it.predicate.verifiedLevels = ['SLSA_BUILD_LEVEL_3']),
    ],
    ['another verifier', (it) => (it.predicate.verifier = { id: 'https://other.example' })],
    [
      'a policy of another registry',
      (it) => {
        it.predicate.policy.uri = it.predicate.policy.uri.replace(ORIGIN, 'other.example');
      },
    ],
    ['a policy without an index', (it) => (it.predicate.policy.uri += '0x')],
    [
      'a policy index with a zero before it',
      (it) => {
        it.predicate.policy.uri = it.predicate.policy.uri.replace('=7', '=07');
      },
    ],
  ])('is refused with %s', (_, change) => {
    const it = JSON.parse(parseUtf8(formatGateSummary(summary))) as Shown;
    change(it);
    const payload = formatCanonical(it as unknown as Json);
    expect(() => parseGateSummary(payload)).toThrowWithCode('bad-statement');
  });
});
