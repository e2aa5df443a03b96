import { describe, expect, test } from '@jest/globals';
import { openDecision, openIntentStatement } from '../../../src/core/release/opened-decision.ts';
import type { Policy } from '../../../src/core/release/policy.ts';
import { openPolicyHistory } from '../../../src/core/release/policy-history.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, policyOf, withKeys } from '../../made/decisions.ts';
import { enrolled } from '../../made/enrolment.ts';
import { type MadeKey, makeKey } from '../../made/p256.ts';
import { committed, decided, envelopeDigest, SALT, signed } from '../../made/statements.ts';

const rita = makeKey();
const max = makeKey();
const release = makeKey();
const stranger = makeKey();

const base = policyOf({ sealed: 1 });
const keyless = { ...base, people: base.people.map((it) => ({ ...it, keys: [] })) };
const policy = withKeys(withKeys(keyless, 'rita', [enrolled(rita, { person: 'rita' })]), 'max', [
  enrolled(max, { person: 'max' }),
]);
const people = (id: string, keys: Policy['people'][number]['keys']) => withKeys(policy, id, keys);

/** Policies logged on that day. */
const signers = (...list: readonly (readonly [number, Policy])[]) => ({
  registry: [release.spki],
  history: openPolicyHistory(
    list.map(([days, each]) => ({ index: days * 10 + 1, time: day(days), policy: each })),
  ),
});
const now = signers([0, policy]);

const approval = decided({ decision: 'approve' });
const open = (
  key: MadeKey,
  { by = key, at = 1, salt = SALT, who = now, decision = approval, other = approval } = {},
) => {
  const envelope = signed(by, other);
  const logged = committed(key, decision, envelope, at);
  return openDecision(nodeHost, who, logged, { salt, envelope });
};

describe('a decision behind a commitment', () => {
  test('is opened with its signer, as of that place', async () => {
    const envelope = signed(rita, approval);
    const logged = committed(rita, approval, envelope, 3);
    expect(await openDecision(nodeHost, now, logged, { salt: SALT, envelope })).toEqual({
      ok: true,
      decision: {
        index: 30,
        time: day(3),
        digest: envelopeDigest(envelope),
        statement: approval,
        signer: {
          person: 'rita',
          spki: enrolled(rita, { person: 'rita' }).spki,
          roles: ['evaluator', 'reviewer'],
        },
      },
    });
  });

  test('is the registry’s with a release key', async () => {
    const decision = decided({ decision: 'seal', pushers: ['pat'] });
    const opened = await open(release, { decision, other: decision });
    expect(opened).toMatchObject({ ok: true, decision: { signer: 'registry' } });
  });

  test('is not opened with another salt', async () => {
    const opened = await open(rita, { salt: '00'.repeat(32) });
    expect(opened).toMatchObject({ ok: false, code: 'digest-mismatch' });
  });

  test('is not opened with another decision than was committed to', async () => {
    const envelope = signed(rita, approval);
    const logged = committed(rita, approval, envelope);
    const other = signed(rita, decided({ decision: 'object', reason: 'No' }));
    const opened = await openDecision(nodeHost, now, logged, { salt: SALT, envelope: other });
    expect(opened).toMatchObject({ ok: false, code: 'digest-mismatch' });
  });

  test('is not opened when another signed it than committed to it', async () => {
    for (const by of [max, stranger, release]) {
      expect(await open(rita, { by })).toMatchObject({ ok: false, code: 'signature-invalid' });
    }
  });

  test('is not opened under the label of another digest or number', async () => {
    const second = decided({ decision: 'approve' }, { n: 1, previous: approval.digest });
    const opened = await open(rita, { decision: second });
    expect(opened).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test('is nobody’s before its key is enrolled, and after it is revoked', async () => {
    expect(await open(stranger)).toMatchObject({ ok: false, code: 'untrusted' });
    const key = enrolled(rita, { person: 'rita' });
    const late = signers([0, people('rita', [])], [5, policy]);
    expect(await open(rita, { who: late, at: 4 })).toMatchObject({ ok: false, code: 'untrusted' });
    expect(await open(rita, { who: late, at: 6 })).toMatchObject({ ok: true });
    const gone = signers([0, policy], [5, people('rita', [{ ...key, revoked: true }])]);
    expect(await open(rita, { who: gone, at: 5 })).toMatchObject({ ok: true });
    expect(await open(rita, { who: gone, at: 6 })).toMatchObject({ ok: false, code: 'untrusted' });
  });
});

describe('a signed intent', () => {
  const intent = decided({ decision: 'publish' });
  const place = { index: 50, time: day(5) };
  const openIt = (key: MadeKey) =>
    openIntentStatement(nodeHost, now.history, place, signed(key, intent));

  test('is opened with who signed it', async () => {
    expect(await openIt(max)).toMatchObject({
      ok: true,
      intent: { signer: { person: 'max', roles: ['release-manager'] }, statement: intent },
    });
  });

  test('is nobody’s when nobody of the namespace signed it', async () => {
    for (const key of [stranger, release]) {
      expect(await openIt(key)).toMatchObject({ ok: false, code: 'signature-invalid' });
    }
  });
});
