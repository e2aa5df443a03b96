import { describe, expect, test } from '@jest/globals';
import {
  caller,
  declared,
  nonceOf,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();

describe('a withdrawn draft', () => {
  test('is neither published, sealed, changed nor opened again', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { registry } = live;
    const digest = await live.push(PUBLISHER, RELEASE);
    expect(await registry.withdraw(PUBLISHER, RELEASE)).toMatchObject({ state: 'withdrawn' });
    const attempts = [
      () => registry.publish(PUBLISHER, RELEASE, digest),
      () => registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(1), paths: ['README.md'] }),
      () => registry.declareFile(PUBLISHER, RELEASE, declared('new.txt', 'new')),
      () => registry.openDraft(PUBLISHER, RELEASE),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrowWithCode('conflict');
    expect(await live.kinds()).not.toContain('release');
    expect(await registry.withdraw(PUBLISHER, RELEASE)).toMatchObject({ state: 'withdrawn' });
  });

  test('is not sealed by a seal that was running', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { registry } = live;
    await live.upload(PUBLISHER, RELEASE, { 'a.txt': 'a' });
    await registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(1), paths: ['a.txt'] });
    await registry.withdraw(PUBLISHER, RELEASE);
    await registry.close();
    expect(await registry.draftStatus(PUBLISHER, RELEASE)).toMatchObject({ state: 'withdrawn' });
  });

  test('gives back the space of what was not wholly uploaded', async () => {
    const world = await makeWorld();
    const { registry } = await world.openWithNamespace();
    await registry.openDraft(PUBLISHER, RELEASE);
    const content = 'never completed';
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', content));
    if (ticket.state !== 'upload') throw new Error('the file is there already');
    const [part] = partsOf(content);
    const { number, bytes, sha256 } = part!;
    const { upload } = ticket;
    const sent = { upload, number, length: bytes.length, sha256 };
    await registry.putPart(PUBLISHER, RELEASE, sent, streamOf(bytes));
    expect(world.disk.uploads.size).toBe(1);
    await registry.withdraw(PUBLISHER, RELEASE);
    await registry.close();
    expect(world.disk.uploads.size).toBe(0);
  });

  test('is withdrawn by those who publish, and by nobody else', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.push(PUBLISHER, RELEASE);
    for (const stranger of [caller('acme', 'reader'), caller('mallory', 'owner')]) {
      const withdraw = live.registry.withdraw(stranger, RELEASE);
      await expect(withdraw).rejects.toThrowWithCode('not-authorised');
    }
  });
});
