import { describe, expect, test } from '@jest/globals';
import { checkEnrolments } from '../../../src/core/release/enrolment.ts';
import { soloPolicy } from '../../../src/core/release/policy.ts';
import type { PolicyKey } from '../../../src/core/release/policy-key.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';

const made = makeKey();
const check = (key: PolicyKey) =>
  checkEnrolments(nodeHost, soloPolicy(ORIGIN, 'acme', { id: 'ada', name: 'Ada', key }));

describe('a key in a policy', () => {
  test('is there by the will of its holder', async () => {
    expect(await check(enrolled(made, { person: 'ada' }))).toEqual({ ok: true });
  });

  test.each([
    ['another registry', { origin: 'other.example' }],
    ['another namespace', { namespace: 'other' }],
    ['another person', { person: 'bob' }],
  ])('is not taken with the proof for %s', async (_, where) => {
    const refused = await check(enrolled(made, { person: 'ada', ...where }));
    expect(refused).toMatchObject({ ok: false, code: 'signature-invalid' });
    expect(refused).toMatchObject({ evidence: { person: 'ada' } });
  });

  test('is not taken with the proof of another key: nobody enrols a stranger’s key', async () => {
    const { spki } = enrolled(makeKey(), { person: 'ada' });
    const { proof } = enrolled(made, { person: 'ada' });
    expect(await check({ spki, proof })).toMatchObject({ ok: false, code: 'signature-invalid' });
  });
});
