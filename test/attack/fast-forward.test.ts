/**
 * Fast-forward: somebody who has no key shows a log, or a trust root, far ahead of the real one,
 * so that whoever believes it once refuses the real one for ever.
 */
import { expect, test } from '@jest/globals';
import { resolveRelease } from '../../src/client/release.ts';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { makeKey } from '../made/p256.ts';
import { usePinned } from '../made/pinned.ts';
import { refused } from '../made/refused.ts';
import { makeRootDocument, signRoot } from '../made/trust-root.ts';

const pinned = usePinned();
const TINY = parseReference('acme/tiny');

test('a checkpoint that the log’s key has not signed is refused, and nothing of it is remembered', async () => {
  const { served, reader } = pinned();
  await resolveRelease(reader, TINY);
  const { origin } = served.made.root;
  const before = await reader.pins.seen(origin);
  served.tamper = (path, bytes) =>
    path === '/log/checkpoint' || path.endsWith('/head')
      ? utf8(parseUtf8(bytes).replace(/(models\.example\.org\\?n?\n?)(\d+)/, '$1999999'))
      : bytes;
  await refused(
    resolveRelease(reader, TINY),
    'signature-invalid',
    /^the signature of "models\.example\.org" does not fit the note/,
  );
  expect(await reader.pins.seen(origin)).toEqual(before);
  served.tamper = (_, bytes) => bytes;
  await resolveRelease(reader, TINY);
});

test('a trust root that strangers signed, or that skips versions, is refused, and none is kept', async () => {
  const { served, reader } = pinned();
  const release = [{ spki: served.made.releaseKey.spki, from: 0 }];
  const stranger = makeKey();
  for (const [document, key] of [
    [makeRootDocument([stranger], { version: 2, release }), stranger],
    [makeRootDocument([served.rootKey], { version: 1000, release }), served.rootKey],
  ] as const) {
    served.roots.push(signRoot(document, [key]));
    await refused(resolveRelease(reader, TINY), 'untrusted', /version/);
    served.roots.pop();
    expect(await reader.pins.roots(served.made.root.origin)).toHaveLength(1);
    await resolveRelease(reader, TINY);
  }
});
