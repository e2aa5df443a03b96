import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatCanonical } from '../../../src/core/json.ts';
import {
  ANNOUNCEMENT_PAYLOAD_TYPE,
  type Announcement,
  formatAnnouncement,
  isEntryOf,
  openAnnouncement,
  parseAnnouncement,
} from '../../../src/core/release/announcement.ts';
import { POLICY_PAYLOAD_TYPE } from '../../../src/core/release/policy.ts';
import { toSign } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, policyOf, RELEASE, withKeys } from '../../made/decisions.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';

const announced: Announcement = {
  v: 1,
  origin: ORIGIN,
  release: RELEASE,
  announcement: 'announced',
  date: day(30),
  time: day(0),
  nonce: '00'.repeat(32),
};

describe('an announcement', () => {
  test('reads back what was written', () => {
    const date = fc.constantFrom(day(1), null);
    const reason = fc.constantFrom({}, { reason: 'More safety tests' });
    fc.assert(
      fc.property(date, reason, (until, why) => {
        const postponed = { ...announced, announcement: 'postponed' as const, date: until, ...why };
        expect(parseAnnouncement(formatAnnouncement(postponed))).toEqual(postponed);
      }),
    );
    expect(parseAnnouncement(formatAnnouncement(announced))).toEqual(announced);
  });

  test.each([
    ['no date, where it announces', { date: null }],
    ['a date that is none', { date: '2026-03-01' }],
    ['another kind', { announcement: 'withdrawn' }],
    ['the digest, which is secret', { digest: `sha256:${'0'.repeat(64)}` }],
    ['an empty reason', { reason: '' }],
    ['a release not in its normal form', { release: 'Acme/kimi-k2@v1.0' }],
  ])('is refused with %s', (_, change) => {
    const bytes = formatCanonical({ ...announced, ...change });
    expect(() => parseAnnouncement(bytes)).toThrowWithCode('bad-document');
  });

  test('agrees with an entry that says the same, and with no other', () => {
    expect(isEntryOf(announced, announced)).toBe(true);
    for (const change of [
      { release: 'acme/a@1' },
      { announcement: 'postponed' as const },
      { date: null },
    ]) {
      expect(isEntryOf({ ...announced, ...change }, announced)).toBe(false);
    }
  });
});

describe('a signed announcement', () => {
  const [max, olga] = [makeKey(), makeKey()];
  const managed = withKeys(policyOf({}), 'max', [enrolled(max, { person: 'max' })]);
  const policy = withKeys(managed, 'olga', [enrolled(olga, { person: 'olga' })]);
  const none: ReadonlySet<string> = new Set();
  const open = (
    change: Partial<Announcement> = {},
    { key = max, type = ANNOUNCEMENT_PAYLOAD_TYPE, revoked = none } = {},
  ) => {
    const payload = formatAnnouncement({ ...announced, ...change });
    const envelope = { payloadType: type, payload, signature: key.sign(toSign(type, payload)) };
    return openAnnouncement(nodeHost, { policy, revoked, time: day(1) }, envelope);
  };

  test('is a release manager’s', async () => {
    expect(await open()).toEqual({ ok: true, announcement: announced, person: 'max' });
    const revoked = new Set([enrolled(max, { person: 'max' }).spki]);
    for (const other of [{ key: olga }, { key: makeKey() }, { revoked }]) {
      expect(await open({}, other)).toMatchObject({ ok: false, code: 'signature-invalid' });
    }
  });

  test('is of this namespace and registry, and of its type', async () => {
    const refused = { ok: false, code: 'untrusted' };
    expect(await open({ release: 'other/kimi-k2@v1.0' })).toMatchObject(refused);
    expect(await open({ origin: 'other.example' })).toMatchObject(refused);
    expect(await open({}, { type: POLICY_PAYLOAD_TYPE })).toMatchObject(refused);
  });
});
