import { beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/core/digest.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import type { Identity, TrustedPublisher } from '../../src/core/release/trusted-publisher.ts';
import { MAX_PUBLISHERS, publisherId } from '../../src/core/release/trusted-publisher.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { Chores } from '../../src/registry/chores.ts';
import {
  Admissions,
  distrustPublisher,
  trustedPublishers,
  trustPublisher,
} from '../../src/registry/trusted-publishers.ts';
import { keys, prefixes } from '../../src/store/keys.ts';
import { Disk } from '../made/memory-store.ts';

const ACME = parseNamespace('acme');
const NOW = Date.UTC(2026, 1, 1);
const idOf = (publisher: TrustedPublisher) => publisherId(nodeHost, publisher);
const publisherOf = (sub: string): TrustedPublisher => ({
  issuer: 'https://issuer.example',
  audience: 'weights.example',
  claims: { sub },
});

let now: number;
let disk: Disk;
beforeEach(async () => {
  now = NOW;
  disk = new Disk();
  await disk.open().create(keys.namespace(ACME), new Uint8Array(1));
});

function identity(sub: string, token: string): Identity {
  return {
    issuer: 'https://issuer.example',
    audience: 'weights.example',
    subject: sub,
    claims: { sub },
    expires: now / 1000 + 300,
    fingerprint: digestOf(nodeHost, new TextEncoder().encode(token)),
  } as object as Identity;
}

/** One process over the disk. */
function open() {
  const chores = new Chores();
  const store = disk.open();
  const admissions = new Admissions({ store, host: nodeHost, clock: () => now }, chores);
  return { chores, store, admissions };
}

async function remembered(): Promise<number> {
  let count = 0;
  for await (const _ of disk.open().list(prefixes.exchanged())) count++;
  return count;
}

describe('trusted publishers', () => {
  test('are added once each, by many at the same time, and removed', async () => {
    const store = disk.open();
    const subs = ['a', 'b', 'c', 'a', 'b'];
    await Promise.all(subs.map((sub) => trustPublisher(store, ACME, publisherOf(sub), idOf)));
    const found = (await trustedPublishers(store, ACME)).map(({ claims }) => claims.sub);
    expect(found.sort()).toEqual(['a', 'b', 'c']);
    await distrustPublisher(store, ACME, idOf(publisherOf('b')), idOf);
    expect(await trustedPublishers(store, ACME)).toHaveLength(2);
    const again = distrustPublisher(store, ACME, idOf(publisherOf('b')), idOf);
    await expect(again).rejects.toThrowWithCode('not-found');
  });

  test('of a namespace that is not there are refused', async () => {
    const nobody = trustPublisher(disk.open(), parseNamespace('nobody'), publisherOf('a'), idOf);
    await expect(nobody).rejects.toThrowWithCode('not-found');
  });

  test('are so many and no more', async () => {
    const store = disk.open();
    for (let i = 0; i < MAX_PUBLISHERS; i++) {
      await trustPublisher(store, ACME, publisherOf(`${i}`), idOf);
    }
    const more = trustPublisher(store, ACME, publisherOf('more'), idOf);
    await expect(more).rejects.toThrowWithCode('bad-document');
  });
});

describe('an admission', () => {
  beforeEach(() => trustPublisher(disk.open(), ACME, publisherOf('a'), idOf));

  test('says which publisher it was', async () => {
    const { admissions } = open();
    const { publisher } = await admissions.admit(ACME, identity('a', 'one'));
    expect(publisher).toBe(idOf(publisherOf('a')));
    const stranger = admissions.admit(ACME, identity('z', 'two'));
    await expect(stranger).rejects.toThrowWithCode('not-authorised');
    const elsewhere = admissions.admit(parseNamespace('other'), identity('a', 'three'));
    await expect(elsewhere).rejects.toThrowWithCode('not-authorised');
  });

  test('grants what is trusted until the publisher is removed, whatever is trusted after', async () => {
    const { admissions, store } = open();
    const { grant } = await admissions.admit(ACME, identity('a', 'one'));
    await trustPublisher(store, ACME, publisherOf('b'), idOf);
    const other = await admissions.admit(ACME, identity('b', 'two'));
    expect(other.grant).not.toBe(grant);
    expect(await admissions.trusts(ACME, grant)).toBe(true);
    expect(await admissions.trusts(parseNamespace('other'), grant)).toBe(false);
    await distrustPublisher(store, ACME, idOf(publisherOf('a')), idOf);
    expect(await admissions.trusts(ACME, grant)).toBe(false);
    expect(await admissions.trusts(ACME, other.grant)).toBe(true);
    // The same jobs once more: those that were let in before stay out.
    await trustPublisher(store, ACME, publisherOf('a'), idOf);
    expect(await admissions.trusts(ACME, grant)).toBe(false);
    const again = await admissions.admit(ACME, identity('a', 'three'));
    expect(await admissions.trusts(ACME, again.grant)).toBe(true);
  });

  test('of one token happens once, in all processes together and after a restart', async () => {
    const processes = [open(), open(), open()];
    const answers = await Promise.allSettled(
      processes.map(({ admissions }) => admissions.admit(ACME, identity('a', 'one'))),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const later = open().admissions.admit(ACME, identity('a', 'one'));
    await expect(later).rejects.toThrowWithCode('not-authorised');
  });

  test('is forgotten some time after the token expired, and not before', async () => {
    const { admissions, chores } = open();
    for (const token of ['one', 'two']) await admissions.admit(ACME, identity('a', token));
    now += 3_600_000;
    await admissions.admit(ACME, identity('a', 'three'));
    await chores.settle();
    expect(await remembered()).toBe(3);
    now += 3_600_000;
    await admissions.admit(ACME, identity('a', 'four'));
    await chores.settle();
    expect(await remembered()).toBe(2);
  });
});
