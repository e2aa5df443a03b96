import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { type VerifiedFreshness, verifyFreshness } from '../../src/core/verify/freshness.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HEADS_DUE_AFTER } from '../../src/registry/heads.ts';
import {
  ACME,
  caller,
  type LiveRegistry,
  nonceOf,
  PUBLISHER,
  RELEASE,
  useWorlds,
} from '../made/live-registry.ts';
import type { Operation } from '../made/memory-store.ts';

const makeWorld = useWorlds();

/** What a client makes of the registry's answer. */
async function fresh(live: LiveRegistry, namespace = ACME): Promise<VerifiedFreshness> {
  const freshness = await live.registry.freshness(namespace);
  const documents = { ...freshness, proof: utf8(freshness.proof), advisories: [] };
  const now = live.world.clock();
  const verdict = verifyFreshness(nodeHost, live.world.root, namespace, documents, now);
  if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.message}`);
  return verdict;
}

describe('freshness', () => {
  test('knows the newest release of every name, in every namespace, as soon as it is published', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.createNamespace('zeta');
    await live.createNamespace('beta');
    await live.release(PUBLISHER, RELEASE);
    const second = parseReleaseName('acme/tiny@v2');
    const { index } = await live.release(PUBLISHER, second, { 'a.txt': 'two' }, nonceOf(2));
    const other = parseReleaseName('zeta/big@v1');
    const theirs = await live.release(caller('zeta', 'publisher'), other);

    expect((await fresh(live)).head.releases).toEqual({ tiny: index });
    const zeta = await fresh(live, parseNamespace('zeta'));
    expect(zeta.head.releases).toEqual({ big: theirs.index });
    expect((await fresh(live, parseNamespace('beta'))).head.releases).toEqual({});
  });

  test('is the same in every process', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const other = await live.world.open();
    await fresh(other);
    await live.release(PUBLISHER, RELEASE);
    expect((await fresh(other)).head).toEqual((await fresh(live)).head);
  });

  test('holds while one release after another is published', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    // Between the namespace and the heads of one commit there is time to look.
    const isHeads = ({ kind, key }: Operation) => kind === 'swap' && key === 'heads';
    const live = await world.open({ turns: (operation) => (isHeads(operation) ? 50 : 0) });
    let done = false;
    const publishing = (async () => {
      for (let n = 1; n <= 8; n++) {
        const release = parseReleaseName(`acme/tiny@v${n}`);
        await live.release(PUBLISHER, release, { 'a.txt': `${n}` }, nonceOf(n));
      }
      done = true;
    })();
    let newest = 0;
    while (!done) {
      const { index } = await fresh(live);
      expect(index).toBeGreaterThanOrEqual(newest);
      newest = index;
      await setImmediate();
    }
    await publishing;
  });

  test('shows the last public state while a newer one awaits its witnesses', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    let quorum = true;
    const cosign = async ({ note }: { note: Uint8Array }) => (quorum ? note : undefined);
    const live = await world.open({}, { cosign, patience: 0 });
    const before = await fresh(live);
    quorum = false;
    await live.release(PUBLISHER, RELEASE);
    expect(await fresh(live)).toMatchObject({ index: before.index, head: { releases: {} } });

    const started = await world.open({}, { cosign, patience: 0 });
    const ask = started.registry.freshness(ACME);
    await expect(ask).rejects.toThrowWithCode('overloaded');
  });
});

describe('the heads entry', () => {
  test('is renewed at a commit that changes no namespace once it is old, and not before', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { world, log } = live;
    const note = (text: string) => log.append({ entries: [utf8(`{"note":"${text}"}`)] });
    await note('young');
    expect((await live.kinds()).filter((kind) => kind === 'heads')).toHaveLength(1);
    world.pass(HEADS_DUE_AFTER);
    await note('old');
    expect((await live.kinds()).filter((kind) => kind === 'heads')).toHaveLength(2);
  });

  test('is renewed in a log that stands still', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    world.pass(HEADS_DUE_AFTER);
    const committed = Promise.withResolvers<void>();
    const observer = { committed: () => committed.resolve() };
    const live = await world.open({}, { maxIdle: 1, observer });
    await committed.promise;
    await live.log.close();
    const reader = (await world.open()).reader;
    const { size } = await reader.published();
    expect(parseUtf8(await reader.entry(size - 1))).toContain('"kind":"heads"');
  });
});
