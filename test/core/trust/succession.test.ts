import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { isCoded } from '../../../src/core/error.ts';
import { parseOrigin } from '../../../src/core/log/checkpoint.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import type { RootDocument } from '../../../src/core/trust/root.ts';
import {
  checkRoot,
  checkUnexpired,
  MAX_ROOT_STEPS,
  type TrustRoot,
  walkRoots,
} from '../../../src/core/trust/succession.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { type MadeKey, makeKey } from '../../made/p256.ts';
import { makeRootDocument, publicLogKey, signRoot } from '../../made/trust-root.ts';

const [a, b, c, d, e] = [makeKey(), makeKey(), makeKey(), makeKey(), makeKey()];
const logRoot = digestOf(nodeHost, utf8('the log'));
const release = { spki: makeKey().spki, from: 0 };
const first = makeRootDocument([a, b, c], { threshold: 2, release: [release] });

async function believe(document: RootDocument, signers: readonly MadeKey[], old?: TrustRoot) {
  const checked = await checkRoot(nodeHost, signRoot(document, signers), old);
  if (!checked.ok) throw new Error(checked.message);
  return checked.root;
}
const check = (document: RootDocument, signers: readonly MadeKey[], old?: TrustRoot) =>
  checkRoot(nodeHost, signRoot(document, signers), old);

describe('the first root', () => {
  test('is believed when the threshold of its own keys signed it', async () => {
    expect(await check(first, [a, b])).toMatchObject({ ok: true, root: { version: 1 } });
    expect(await check(first, [a, b, c])).toMatchObject({ ok: true });
  });

  test('is refused with a signature too few', async () => {
    expect(await check(first, [a])).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test('is refused with a stranger’s signature, even beside enough good ones', async () => {
    expect(await check(first, [a, b, d])).toMatchObject({ ok: false, code: 'signature-invalid' });
  });

  test('is refused when it is not version 1', async () => {
    expect(await check({ ...first, version: 2 }, [a, b])).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test('is refused after a change of any one byte', async () => {
    const bytes = signRoot(first, [a, b]);
    for (let at = 0; at < bytes.length; at++) {
      const bumped = bytes.slice();
      bumped[at]! ^= 1;
      expect({ at, believed: await believed(bumped) }).toEqual({ at, believed: false });
    }
  });

  test('is refused with a signature of another document', async () => {
    const other = JSON.parse(parseUtf8(signRoot({ ...first, maxAge: 1 }, [a, b])));
    const own = JSON.parse(parseUtf8(signRoot(first, [a, b])));
    const grafted = utf8(JSON.stringify({ signatures: other.signatures, signed: own.signed }));
    expect(await checkRoot(nodeHost, grafted)).toMatchObject({
      ok: false,
      code: 'signature-invalid',
    });
  });
});

describe('the next root', () => {
  const second = { ...first, version: 2, keys: [c, d, e].map(({ spki }) => spki) };

  test('is believed when the thresholds of both signed it', async () => {
    const old = await believe(first, [a, b]);
    expect(await check(second, [a, b, d, e], old)).toMatchObject({ ok: true });
    // c is in both roots: its one signature counts in each.
    expect(await check(second, [a, c, d], old)).toMatchObject({ ok: true });
  });

  test.each([
    ['the old threshold', [c, d, e]],
    ['the new threshold', [a, b, c]],
  ])('is refused without %s', async (_, signers) => {
    const old = await believe(first, [a, b]);
    expect(await check(second, signers, old)).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test('cannot lower the threshold by the new threshold alone', async () => {
    const old = await believe(first, [a, b]);
    const lower = { ...first, version: 2, threshold: 1 };
    expect(await check(lower, [a], old)).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test.each([1, 3])('is refused as version %i', async (version) => {
    const old = await believe(first, [a, b]);
    expect(await check({ ...first, version }, [a, b], old)).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test('is refused for another origin', async () => {
    const old = await believe(first, [a, b]);
    const origin = parseOrigin('other.example.org');
    const key = signingKey(nodeHost, origin, new Uint8Array(32));
    const moved = { ...first, version: 2, origin, log: [{ key, from: 0 }] };
    expect(await check(moved, [a, b], old)).toMatchObject({
      ok: false,
      code: 'untrusted',
      message: expect.stringContaining('another registry'),
    });
  });

  const ended = { key: publicLogKey(7), from: 0, end: { size: 10, root: logRoot } };
  const present = { key: publicLogKey(8), from: 10 };
  const cut = { ...release, to: 20 };

  test('may end the present log key and cut a release key short', async () => {
    const old = await believe(first, [a, b]);
    const next = { ...first, version: 2, log: [ended, present], release: [cut] };
    expect(await check(next, [a, b], old)).toMatchObject({ ok: true });
  });

  test.each<[string, Partial<RootDocument>]>([
    [
      'moves the end of a former log key',
      {
        log: [
          { ...ended, end: { size: 11, root: logRoot } },
          { ...present, from: 11 },
        ],
      },
    ],
    [
      'tells another end of the log',
      { log: [{ ...ended, end: { size: 10, root: digestOf(nodeHost, utf8('x')) } }, present] },
    ],
    ['drops a former log key', { log: [{ ...present, from: 0 }] }],
    ['drops a release key', { release: [{ spki: makeKey().spki, from: 0 }] }],
    [
      'lets a release key begin earlier',
      {
        release: [
          { ...cut, from: 0 },
          { spki: makeKey().spki, from: 0 },
        ],
      },
    ],
    ['lets a release key live on', { release: [{ ...release, from: 3 }] }],
  ])('is refused when it %s', async (_, changes) => {
    const later = { ...cut, from: 3 };
    const old = await believe({ ...first, log: [ended, present], release: [later] }, [a, b]);
    const next = { ...first, version: 2, log: [ended, present], release: [later], ...changes };
    expect(await check(next, [a, b], old)).toMatchObject({
      ok: false,
      code: 'untrusted',
      message: expect.stringContaining('history'),
    });
  });
});

describe('the walk to the newest root', () => {
  const stored = (roots: readonly Uint8Array[]) => async (version: number) => roots[version - 1];
  const chain = (length: number) =>
    Array.from({ length }, (_, i) => signRoot({ ...first, threshold: 1, version: i + 1 }, [a]));

  test('goes over every version and hands them over to be stored', async () => {
    const roots = chain(4);
    const old = await believe({ ...first, threshold: 1 }, [a]);
    expect(await walkRoots(nodeHost, old, stored(roots))).toMatchObject({
      ok: true,
      root: { version: 4 },
      steps: roots.slice(1),
    });
  });

  test('goes past roots that have expired, for only the last must not have', async () => {
    const roots = chain(3);
    roots[2] = signRoot(
      { ...first, threshold: 1, version: 3, expires: '2030-01-01T00:00:00.000Z' },
      [a],
    );
    const old = await believe({ ...first, threshold: 1 }, [a]);
    const walked = await walkRoots(nodeHost, old, stored(roots));
    if (!walked.ok) throw new Error(walked.message);
    const now = Date.parse('2029-01-01T00:00:00.000Z');
    expect(checkUnexpired(old, now)).toMatchObject({ ok: false, code: 'stale' });
    expect(checkUnexpired(walked.root, now)).toEqual({ ok: true });
  });

  test('stops at a root that is not to be believed', async () => {
    const roots = chain(3);
    roots[1] = signRoot({ ...first, threshold: 1, version: 2, keys: [d.spki] }, [d]);
    const old = await believe({ ...first, threshold: 1 }, [a]);
    expect(await walkRoots(nodeHost, old, stored(roots))).toMatchObject({ ok: false });
  });

  test('goes up to the limit and not one step further', async () => {
    const roots = chain(MAX_ROOT_STEPS + 2);
    const old = await believe({ ...first, threshold: 1 }, [a]);
    const upTo = (last: number) => stored(roots.slice(0, last));
    expect(await walkRoots(nodeHost, old, upTo(MAX_ROOT_STEPS + 1))).toMatchObject({
      ok: true,
      root: { version: MAX_ROOT_STEPS + 1 },
    });
    expect(await walkRoots(nodeHost, old, upTo(MAX_ROOT_STEPS + 2))).toMatchObject({ ok: false });
  });
});

test('a root expires at its instant and not a millisecond before', async () => {
  const root = await believe(first, [a, b]);
  const expires = Date.parse(first.expires);
  expect(checkUnexpired(root, expires - 1)).toEqual({ ok: true });
  expect(checkUnexpired(root, expires)).toMatchObject({ ok: false, code: 'stale' });
});

async function believed(bytes: Uint8Array): Promise<boolean> {
  try {
    return (await checkRoot(nodeHost, bytes)).ok;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return false;
  }
}
