import { describe, expect, test } from '@jest/globals';
import { formatCanonical } from '../../../src/core/json.ts';
import { POLICY_PAYLOAD_TYPE } from '../../../src/core/release/policy.ts';
import type { Speakers } from '../../../src/core/release/signed-by.ts';
import {
  formatVoid,
  openVoid,
  parseVoid,
  VOID_PAYLOAD_TYPE,
  type Void,
} from '../../../src/core/release/void.ts';
import { type Envelope, toSign } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, policyOf, withKeys } from '../../made/decisions.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { type MadeKey, makeKey } from '../../made/p256.ts';

const said: Void = {
  v: 1,
  origin: ORIGIN,
  namespace: 'acme',
  label: 'ab'.repeat(32),
  reason: 'Bob lost his receipt',
  time: day(0),
  nonce: '00'.repeat(32),
};

test('a void reads back what was written', () => {
  expect(parseVoid(formatVoid(said))).toEqual(said);
});

test.each([
  ['no reason', { reason: '' }],
  ['a label that is none', { label: 'ab' }],
  ['a namespace not in its normal form', { namespace: 'Acme' }],
  ['a member more', { extra: 1 }],
])('a void is refused with %s', (_, change) => {
  expect(() => parseVoid(formatCanonical({ ...said, ...change }))).toThrowWithCode('bad-document');
});

describe('the signatures under a void', () => {
  const [olga, second, max] = [makeKey(), makeKey(), makeKey()];
  const base = policyOf({ sealed: 1 });
  const owners = { ...base, owners: 2, roles: { ...base.roles, owner: ['olga', 'max'] } };
  const keys = [enrolled(olga, { person: 'olga' }), enrolled(second, { person: 'olga' })];
  const policy = withKeys(withKeys(owners, 'olga', keys), 'max', [
    enrolled(max, { person: 'max' }),
  ]);
  const speakers = { policy, revoked: new Set<string>(), time: day(1) };
  const sign = (key: MadeKey, document = formatVoid(said), payloadType = VOID_PAYLOAD_TYPE) => ({
    payloadType,
    payload: document,
    signature: key.sign(toSign(payloadType, document)),
  });
  const open = (envelopes: readonly Envelope[], more: Partial<Speakers> = {}) =>
    openVoid(nodeHost, { ...speakers, ...more }, envelopes);

  test('are those of as many owners as sign a policy', async () => {
    expect(await open([sign(olga), sign(max)])).toEqual({ ok: true, said });
  });

  test('of one owner with two keys, or twice, are one', async () => {
    for (const envelopes of [
      [],
      [sign(olga)],
      [sign(olga), sign(olga)],
      [sign(olga), sign(second)],
    ]) {
      expect(await open(envelopes)).toMatchObject({ ok: false, code: 'signature-invalid' });
    }
  });

  test('of strangers and of revoked keys are refused', async () => {
    expect(await open([sign(olga), sign(makeKey())])).toMatchObject({ code: 'signature-invalid' });
    const revoked = new Set([enrolled(max, { person: 'max' }).spki]);
    expect(await open([sign(olga), sign(max)], { revoked })).toMatchObject({
      code: 'signature-invalid',
    });
  });

  test('are over one document of this namespace', async () => {
    const another = formatVoid({ ...said, label: 'cd'.repeat(32) });
    expect(await open([sign(olga), sign(max, another)])).toMatchObject({ code: 'untrusted' });
    const elsewhere = formatVoid({ ...said, namespace: 'other' });
    expect(await open([sign(olga, elsewhere), sign(max, elsewhere)])).toMatchObject({
      code: 'untrusted',
    });
    const asPolicy = [olga, max].map((key) => sign(key, formatVoid(said), POLICY_PAYLOAD_TYPE));
    expect(await open(asPolicy)).toMatchObject({ code: 'untrusted' });
  });
});
