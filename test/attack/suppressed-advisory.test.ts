/** A registry that leaves out of what it shows the advisory which the log has. */
import { test } from '@jest/globals';
import { resolveRelease } from '../../src/client/release.ts';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { usePinned } from '../made/pinned.ts';
import { refused } from '../made/refused.ts';

const pinned = usePinned();
const TINY = parseReference('acme/tiny@v1');

test('a recall that the log has cannot be kept from whoever pulls', async () => {
  const { served, reader } = pinned();
  served.made.advise('acme/tiny@v1', 'recalled', 'Leaks its training data.');
  served.heads();
  await refused(resolveRelease(reader, TINY), 'recalled', /Leaks its training data\./);
  served.tamper = (path, bytes) => {
    if (!path.endsWith('/head')) return bytes;
    return utf8(JSON.stringify({ ...JSON.parse(parseUtf8(bytes)), advisories: [] }));
  };
  await refused(
    resolveRelease(reader, TINY),
    'untrusted',
    'the registry does not show all advisories of acme',
  );
});

test('nor by the state of the namespace before it', async () => {
  const { served, reader } = pinned();
  const before = served.answer('/api/v1/namespaces/acme/head')!;
  served.made.advise('acme/tiny@v1', 'recalled', 'Leaks its training data.');
  served.heads();
  await refused(resolveRelease(reader, TINY), 'recalled', /Leaks its training data\./);
  served.tamper = (path, bytes) => (path.endsWith('/head') ? before : bytes);
  await refused(
    resolveRelease(reader, TINY),
    'rolled-back',
    /^the registry shows heads entry \d+, but entry \d+ was seen before$/,
  );
});
