import { describe, expect, test } from '@jest/globals';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { caller, FILES, nonceOf, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

describe('a draft', () => {
  test('is opened once and then gone on with', async () => {
    const { registry } = await (await makeWorld()).openWithNamespace();
    const first = await registry.openDraft(PUBLISHER, RELEASE);
    expect(first).toMatchObject({ release: RELEASE, state: 'draft', revision: 1, former: [] });
    expect(await registry.openDraft(PUBLISHER, RELEASE)).toEqual(first);
  });

  test('needs its namespace', async () => {
    const { registry } = await (await makeWorld()).open();
    const open = registry.openDraft(PUBLISHER, RELEASE);
    await expect(open).rejects.toThrowWithCode('not-found');
  });

  test('is opened by those who publish in its namespace, and by nobody else', async () => {
    const { registry } = await (await makeWorld()).openWithNamespace();
    const strangers = [
      caller('acme', 'reader', 'reviewer', 'evaluator', 'operator'),
      caller('other', 'publisher', 'owner'),
      { ...PUBLISHER, roles: [] },
    ];
    for (const stranger of strangers) {
      const open = registry.openDraft(stranger, RELEASE);
      await expect(open).rejects.toThrowWithCode('not-authorised');
    }
    for (const role of ['publisher', 'release-manager', 'owner'] as const) {
      await registry.openDraft(caller('acme', role), RELEASE);
    }
    await registry.openDraft({ ...PUBLISHER, namespace: undefined }, RELEASE);
  });

  test('that nobody opened is not found', async () => {
    const { registry } = await (await makeWorld()).openWithNamespace();
    for (const ask of [
      () => registry.draftStatus(PUBLISHER, RELEASE),
      () => registry.withdraw(PUBLISHER, RELEASE),
      () => registry.publish(PUBLISHER, RELEASE, undefined),
      () => registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(1), paths: ['a'] }),
    ]) {
      await expect(ask()).rejects.toThrowWithCode('not-found');
    }
  });
});

describe('a sealed draft', () => {
  test('pushed again as it is keeps its revision and digest', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const digest = await live.push(PUBLISHER, RELEASE);
    expect(await live.push(PUBLISHER, RELEASE)).toBe(digest);
    const status = await live.registry.draftStatus(PUBLISHER, RELEASE);
    expect(status).toMatchObject({ state: 'sealed', revision: 1, former: [], missing: [] });
  });

  test.each([
    ['a changed file', { ...FILES, 'README.md': 'changed' }, nonceOf(1)],
    ['another file', { ...FILES, 'more.txt': 'more' }, nonceOf(1)],
    ['a file less', { 'README.md': FILES['README.md']! }, nonceOf(1)],
    ['another nonce', FILES, nonceOf(2)],
  ])(
    'pushed with %s becomes a new revision that names the former digest',
    async (_, files, nonce) => {
      const live = await (await makeWorld()).openWithNamespace();
      const first = await live.push(PUBLISHER, RELEASE);
      const second = await live.push(PUBLISHER, RELEASE, files, nonce);
      expect(second).not.toBe(first);
      const manifest = parseManifest(await live.registry.draftManifest(PUBLISHER, RELEASE));
      expect(manifest.draft).toEqual({ revision: 2, former: [first], nonce });
      expect(manifest.files.map(({ path }) => path)).toEqual(Object.keys(files).sort());
    },
  );

  test('sealed again from another source becomes a new revision', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const first = await live.push(PUBLISHER, RELEASE);
    const source = { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) };
    const asked = { nonce: nonceOf(1), paths: Object.keys(FILES), source };
    await live.registry.seal(PUBLISHER, RELEASE, asked);
    const status = await live.registry.draftStatus(PUBLISHER, RELEASE);
    expect(status).toMatchObject({ revision: 2, former: [first] });
  });

  test('tells those who cannot publish what it waits for', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.push(PUBLISHER, RELEASE);
    const status = await live.registry.draftStatus(caller('acme', 'reviewer'), RELEASE);
    expect(status.missing).toMatchObject([{ need: 'role', waitsFor: expect.any(Array) }]);
  });
});

test('drafts of one model do not touch each other', async () => {
  const live = await (await makeWorld()).openWithNamespace();
  const other = parseReleaseName('acme/tiny@v2');
  await live.push(PUBLISHER, RELEASE);
  await live.push(PUBLISHER, other, { 'README.md': 'two' }, nonceOf(2));
  await live.registry.withdraw(PUBLISHER, other);
  expect(await live.registry.draftStatus(PUBLISHER, RELEASE)).toMatchObject({ state: 'sealed' });
});
