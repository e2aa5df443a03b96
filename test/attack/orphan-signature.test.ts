import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { PUBLISHER, RELEASE, useWorlds, type World } from '../made/live-registry.ts';

const makeWorld = useWorlds();
const HEAD = 'private/drafts/acme/tiny/v1.0/head';

/** A process that stands still before its log commits anything, with a publish under way. */
async function standBeforeCommit(world: World) {
  await (await world.openWithNamespace()).close();
  const live = await world.open({
    fault: ({ kind, key }) =>
      kind === 'create' && key.startsWith('private/staging') ? 'die-before' : undefined,
  });
  const digest = await live.push(PUBLISHER, RELEASE);
  void live.registry.publish(PUBLISHER, RELEASE, digest);
  while (!parseUtf8(world.disk.bytes(HEAD)).includes('"publishing"')) await setImmediate();
  world.bury(live);
  return digest;
}

describe('a signature of a release that is not logged', () => {
  test('is made before the commit, and read by nobody until after it', async () => {
    const world = await makeWorld();
    const digest = await standBeforeCommit(world);
    const other = await world.open();
    const read = () => other.registry.document(RELEASE, 'model.sig');
    await expect(read()).rejects.toThrowWithCode('not-found');
    await other.registry.publish(PUBLISHER, RELEASE, digest);
    expect(parseUtf8(await read())).toContain('tlogEntries');
  });

  test('is never logged when the guard refuses: neither leaf without the other', async () => {
    const world = await makeWorld();
    await standBeforeCommit(world);
    const record = parseUtf8(world.disk.bytes('namespaces/acme'));
    world.disk.plant(
      'namespaces/acme',
      utf8(record.replace('"index":0,"signed"', '"index":1,"signed"')),
    );
    const next = await world.open();
    await next.registry.recover();
    expect(await next.kinds()).toEqual(['namespace', 'heads']);
    const read = next.registry.document(RELEASE, 'model.sig');
    await expect(read).rejects.toThrowWithCode('not-found');
    const status = await next.registry.draftStatus(PUBLISHER, RELEASE);
    expect(status.state).toBe('sealed');
  });
});
