/** Freeze: a registry, or whoever stands before it, shows for ever what was true once. */
import { expect, test } from '@jest/globals';
import { resolveRelease } from '../../src/client/release.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { Audited } from '../made/audited.ts';
import { usePinned } from '../made/pinned.ts';
import { refused } from '../made/refused.ts';

const pinned = usePinned();
const TINY = parseReference('acme/tiny');
const HOUR = 3_600_000;

test('a log that says nothing new for an hour is refused', async () => {
  const { served, reader } = pinned();
  await resolveRelease(reader, TINY);
  const later = { ...reader, clock: () => served.made.now + HOUR };
  await refused(
    resolveRelease(later, TINY),
    'stale',
    /^the newest that models\.example\.org shows is of \S+, older than the 3600 s that its trust root allows: its log is frozen, or this machine’s clock is wrong$/,
  );
});

test('so is one that shows a time to come, which would stay fresh for as long as it likes', async () => {
  const { served, reader } = pinned();
  const earlier = { ...reader, clock: () => served.made.now - HOUR };
  await refused(
    resolveRelease(earlier, TINY),
    'stale',
    /^models\.example\.org shows a time in the future, \S+: is this machine’s clock right\?$/,
  );
});

test('an audit finds it, too', async () => {
  const audited = Audited.small();
  const { violations } = await audited.audit({ now: audited.made.now + 2 * HOUR });
  expect(violations).toMatchObject([{ code: 'stale' }]);
});
