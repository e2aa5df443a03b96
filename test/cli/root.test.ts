/** The trust root from the operator's side: with all keys at hand, and with keys that lie apart. */
import { copyFile, readdir, rm } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import {
  byBoth,
  byRoot,
  createNamespace,
  home,
  makeHolder,
  makeTwoOfThree,
  ORIGIN,
  openServer,
  place,
  rotate,
  show,
  useRegistry,
} from './root-home.ts';

useRegistry();

describe('a root by one command', () => {
  test('lasts longer, and is logged as the entry that the store names', async () => {
    const made = await home.json(...rotate(...byRoot(), '--expires', '30d'));
    expect(made).toMatchObject({ version: 2, index: 2, published: true });
    const shown = await show();
    expect(shown).toMatchObject({ version: 2, origin: ORIGIN, threshold: 1 });
    const days = (Date.parse(shown.expires as string) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThan(31);
  });

  test('ends the release key where its own entry stands, and begins the new one there', async () => {
    const { index } = await home.json(...rotate(...byRoot(), '--new-release-key'));
    const { release } = await show();
    expect(release).toMatchObject([
      { from: 0, to: index },
      { from: index, to: null },
    ]);
    expect(await readdir(home.path('keys'))).toContain('release-2.key');
  });

  test('takes no key that is not the root’s, and makes nothing then', async () => {
    await makeHolder('bob');
    const bob = ['--root-key', home.path('bob.key')];
    const ran = await home.run(...rotate(...bob, '--new-release-key'));
    expect(ran.status).toBe(11);
    expect(ran.stderr).toContain('root propose');
    expect((await home.run(...rotate('--new-release-key'))).status).toBe(11);
    expect(await readdir(home.path('keys'))).not.toContain('release-2.key');
    expect(await show()).toMatchObject({ version: 1 });
  });

  test('a key that an unfinished rotation made is used by the next', async () => {
    await home.run('root', 'propose', ...place(), '--new-release-key', '--out', home.path('p'));
    const { release } = await home.json('root', 'show', home.path('p'));
    await home.json(...rotate(...byRoot(), '--new-release-key'));
    expect((await show()).release).toEqual(release);
  });

  test.each([
    ['--at', '9'],
    ['--compromised-from', '1'],
    ['--threshold', '2'],
    ['--expires', 'soon'],
    ['--remove-key', '0'.repeat(64)],
  ])('is a wrong use with %s %s', async (...flags) => {
    expect((await home.run(...rotate(...byRoot(), ...flags))).status).toBe(2);
  });
});

describe('root keys', () => {
  test('that are added must be proved to be held, by the new threshold', async () => {
    const pem = await makeHolder('bob');
    const add = ['root', 'add-key', ...place(), pem, '--threshold', '2'];
    const alone = await home.run(...add, ...byRoot());
    expect(alone.status).toBe(11);
    expect(alone.stderr).toContain('1 more of the new root keys must sign');
    await home.json(...add, ...byBoth());
    expect(await show()).toMatchObject({ version: 2, threshold: 2 });
    expect((await home.run(...rotate(...byRoot()))).status).toBe(11);
    await home.json(...rotate(...byBoth()));
  });

  test('are replaced by those that stay, without the one that was stolen', async () => {
    await makeTwoOfThree();
    const dave = await makeHolder('dave');
    const replaced = ['--remove-key', home.path('carol.pem')];
    await home.json('root', 'add-key', ...place(), dave, ...replaced, ...byBoth());
    const carol = [...byRoot(), '--root-key', home.path('carol.key')];
    expect((await home.run(...rotate(...carol))).status).toBe(11);
    const withDave = [...byRoot(), '--root-key', home.path('dave.key')];
    expect(await home.json(...rotate(...withDave))).toMatchObject({ version: 4 });
  });

  test('lower no threshold by fewer than it asks for', async () => {
    await makeTwoOfThree();
    const lower = rotate('--threshold', '1', ...byRoot());
    expect((await home.run(...lower)).status).toBe(11);
    await home.json(...rotate('--threshold', '1', ...byBoth()));
    expect(await show()).toMatchObject({ threshold: 1 });
  });
});

describe('a root by keys that lie apart', () => {
  const propose = (...flags: string[]) =>
    home.json('root', 'propose', ...place(), '--out', home.path('next.json'), ...flags);
  const sign = (name: string, file = 'next.json') =>
    home.json('root', 'sign', home.path(file), '--root-key', home.path(`${name}.key`));
  const publish = (...files: string[]) => [
    ...['root', 'publish', ...place()],
    ...(files.length === 0 ? ['next.json'] : files).map((file) => home.path(file)),
  ];

  test('is proposed, signed in turn, and published once enough have signed', async () => {
    await makeTwoOfThree();
    await propose('--new-release-key');
    expect((await home.run(...publish())).status).toBe(11);
    expect(await sign('bob')).toMatchObject({ missing: 1 });
    expect((await home.run(...publish())).status).toBe(11);
    expect(await sign('carol')).toMatchObject({ missing: 0 });
    expect(await home.json(...publish())).toMatchObject({ version: 3 });
    expect((await home.run(...publish())).status).toBe(1);
  });

  test('may be signed in copies, and says what it changes to whoever signs', async () => {
    await makeTwoOfThree();
    await propose('--new-token-key');
    await copyFile(home.path('next.json'), home.path('copy.json'));
    const { changes } = await sign('bob', 'copy.json');
    expect(changes).toContainEqual(expect.stringMatching(/^token key .* is added$/));
    await sign('root');
    expect(await home.json(...publish('next.json', 'copy.json'))).toMatchObject({ version: 3 });
  });

  test('is signed by no stranger, and overwrites no file', async () => {
    await makeHolder('mallory');
    await propose();
    const signing = ['root', 'sign', home.path('next.json'), '--root-key'];
    expect((await home.run(...signing, home.path('mallory.key'))).status).toBe(11);
    const again = ['root', 'propose', ...place(), '--out', home.path('next.json')];
    expect((await home.run(...again)).status).toBe(1);
  });

  test('is refused once another root was published', async () => {
    await propose('--new-release-key');
    await sign('root');
    await home.json(...rotate(...byRoot()));
    const ran = await home.run(...publish());
    expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining('propose it again')]);
  });

  test('is refused when it would undo what the old key has signed meanwhile', async () => {
    await propose('--new-release-key');
    await sign('root');
    const server = await openServer();
    await createNamespace(server, 'zoo');
    const ran = await home.run(...publish());
    expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining('--at')]);
    await rm(home.path('next.json'));

    await propose('--new-release-key', '--at', '50');
    await sign('root');
    await createNamespace(server, 'park');
    await home.json(...publish());
    expect((await show()).release).toMatchObject([{ to: 50 }, { from: 50 }]);
    // Until then the old key signs.
    await createNamespace(server, 'farm');
  });

  test('undoes it where the key was stolen', async () => {
    const index = await createNamespace(await openServer(), 'zoo');
    await propose('--new-release-key', '--compromised-from', String(index));
    await sign('root');
    await home.json(...publish());
    expect((await show()).release).toMatchObject([{ to: index }, { to: null }]);
  });

  test('ends a log key only where the log still is', async () => {
    await propose('--new-log-key');
    await sign('root');
    await createNamespace(await openServer(), 'zoo');
    const ran = await home.run(...publish());
    expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining('stop every server')]);
  });
});
