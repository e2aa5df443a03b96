/** A registry that shows an old version, with its holes, to whoever asks for the newest one. */
import { expect, test } from '@jest/globals';
import { resolveRelease } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { usePinned } from '../made/pinned.ts';
import { refused } from '../made/refused.ts';

const pinned = usePinned();
const NEWEST = parseReference('acme/tiny');

test('the newest is what the log’s heads say, not what the registry answers', async () => {
  const { served, reader } = pinned();
  served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
  const old = served.answer('/api/v1/releases/acme/tiny/v1')!;
  served.tamper = (path, bytes) =>
    /\/acme\/tiny\/(v2|sha256:[0-9a-f]+)$/.test(path) ? old : bytes;
  const { verified, superseded } = await resolveRelease(reader, NEWEST);
  expect([verified.release.version, superseded]).toEqual(['v2', false]);
});

test('documents of the old one are not taken for those of the newest', async () => {
  const { served, reader } = pinned();
  served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
  served.tamper = (path, bytes) => served.answer(path.replace('/v2', '/v1')) ?? bytes;
  await refused(
    resolveRelease(reader, NEWEST),
    'untrusted',
    'acme/tiny@v1 was served for acme/tiny@v2',
  );
});
