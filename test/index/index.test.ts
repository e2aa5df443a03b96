import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { CodedError } from '../../src/core/error.ts';
import { proveConsistency, rootOfLeaves } from '../../src/core/log/merkle.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import {
  formatModel,
  formatReleaseName,
  parseModel,
  parseReleaseName,
} from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { MAX_PAGE } from '../../src/index/catalogue.ts';
import { type FollowingCatalogue, openCatalogue } from '../../src/index/open.ts';
import type { LogReader } from '../../src/log/reader.ts';
import { MadeRegistry } from '../made/registry.ts';

const directory = mkdtempSync(join(tmpdir(), 'weighhouse-index-test-'));
const opened: FollowingCatalogue[] = [];
let files = 0;

afterEach(() => {
  for (const catalogue of opened.splice(0)) catalogue.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The log of `made` as a reader shows it, up to `size` entries; counts the entries it is asked for. */
function logOf(made: MadeRegistry, size = () => made.entries.length) {
  const leaves = () => made.leaves.slice(0, size());
  const counted = { asked: 0 };
  const log: Pick<LogReader, 'published' | 'entries' | 'consistencyProof'> = {
    published: async () => ({
      size: size(),
      root: rootOfLeaves(nodeHost, leaves()),
      note: made.checkpoint(),
    }),
    entries: async (start, end) => {
      counted.asked += end - start;
      return made.entries.slice(start, end);
    },
    consistencyProof: async (oldSize, newSize) =>
      proveConsistency(nodeHost, made.leaves.slice(0, newSize), oldSize),
  };
  return { log: log as LogReader, counted };
}

function newPath(): string {
  files += 1;
  return join(directory, `${files}.sqlite`);
}

async function index(made: MadeRegistry, path = newPath(), log = logOf(made).log) {
  const catalogue = await openCatalogue(path, log, manifestsOf(made), { every: 0 });
  opened.push(catalogue);
  return catalogue;
}

function manifestsOf(made: MadeRegistry) {
  return async (release: Parameters<typeof formatReleaseName>[0]) =>
    parseManifest(made.documents(formatReleaseName(release)).manifest);
}

/** Two namespaces, three releases, one advisory. */
function smallRegistry(): MadeRegistry {
  const made = new MadeRegistry();
  made.namespace('acme');
  made.publish('acme/kimi-k2@v1.0', { 'model.safetensors': utf8('one') });
  made.publish('acme/kimi-k2@v1.1', { 'model.safetensors': utf8('two'), 'README.md': utf8('r') });
  made.namespace('zoo');
  made.publish('zoo/lion@Beta', { 'weights/tensor.bin': utf8('roar') });
  made.advise('acme/kimi-k2@v1.0', 'recalled', 'poisoned');
  made.heads();
  return made;
}

const names = (releases: readonly { release: Parameters<typeof formatReleaseName>[0] }[]) =>
  releases.map(({ release }) => formatReleaseName(release));

describe('the catalogue', () => {
  test('lists releases newest first, with size, files and advisories', async () => {
    const made = smallRegistry();
    const catalogue = await index(made);
    const releases = catalogue.releases({ limit: 10 });
    expect(names(releases)).toEqual(['zoo/lion@Beta', 'acme/kimi-k2@v1.1', 'acme/kimi-k2@v1.0']);
    expect(releases[1]).toMatchObject({ index: 3, size: 4, files: 2, advisories: [] });
    expect(releases[2]!.advisories).toEqual([
      expect.objectContaining({ index: 8, kind: 'recalled', summary: 'poisoned' }),
    ]);
    expect(catalogue.size()).toBe(made.entries.length);
  });

  test('pages by the index of the last release, within a namespace or a model', async () => {
    const catalogue = await index(smallRegistry());
    const [first] = catalogue.releases({ limit: 1 });
    expect(names(catalogue.releases({ limit: 1, before: first!.index }))).toEqual([
      'acme/kimi-k2@v1.1',
    ]);
    const { namespace } = parseModel('acme/kimi-k2');
    expect(names(catalogue.releases({ limit: 9, namespace }))).toHaveLength(2);
    const model = parseModel('zoo/lion');
    expect(names(catalogue.releases({ limit: 9, model }))).toEqual(['zoo/lion@Beta']);
    expect(names(catalogue.releases({ limit: 9, model: parseModel('acme/lion') }))).toEqual([]);
  });

  test('finds a release by its version in any case, and by its digest', async () => {
    const made = smallRegistry();
    const catalogue = await index(made);
    const lion = catalogue.release(parseReleaseName('zoo/lion@bETA'))!;
    expect(formatReleaseName(lion.release)).toBe('zoo/lion@Beta');
    expect(catalogue.release(parseReleaseName('zoo/lion@v2'))).toBeUndefined();
    const digest = digestOf(nodeHost, made.documents('zoo/lion@Beta').manifest);
    expect(catalogue.byDigest(parseModel('zoo/lion'), digest)).toEqual(lion);
    expect(catalogue.byDigest(parseModel('acme/kimi-k2'), digest)).toBeUndefined();
  });

  test('tells a model’s history oldest first, with what happened to its namespace', async () => {
    const catalogue = await index(smallRegistry());
    const history = catalogue.history(parseModel('acme/kimi-k2'));
    expect(history.map((event) => [event.index, event.kind])).toEqual([
      [0, 'namespace'],
      [1, 'release'],
      [3, 'release'],
      [8, 'advisory'],
    ]);
    expect(history[3]).toMatchObject({ release: 'acme/kimi-k2@v1.0' });
    expect(catalogue.history(parseModel('acme/unknown'))).toEqual([]);
  });

  test('tells the news of all namespaces or of one, newest first, and nothing else', async () => {
    const catalogue = await index(smallRegistry());
    const told = catalogue.news({ limit: 9 }).map((event) => [event.index, event.kind]);
    expect(told).toEqual([
      [8, 'advisory'],
      [6, 'release'],
      [3, 'release'],
      [1, 'release'],
    ]);
    const zoo = parseModel('zoo/lion').namespace;
    expect(catalogue.news({ limit: 9, namespace: zoo }).map((event) => event.index)).toEqual([6]);
    expect(catalogue.news({ limit: 2 })).toHaveLength(2);
  });

  test('knows what entries of the log are about', async () => {
    const catalogue = await index(smallRegistry());
    expect(catalogue.events(1, 4).map((event) => [event.index, event.kind])).toEqual([
      [1, 'release'],
      [3, 'release'],
    ]);
  });

  test('lists advisories with what they are about, by kind and page', async () => {
    const made = smallRegistry();
    made.advise('zoo/lion@Beta', 'license', 'read it');
    const catalogue = await index(made);
    const [newest, oldest] = catalogue.advisories({ limit: 9 });
    expect(newest).toMatchObject({ kind: 'license', summary: 'read it' });
    expect(formatReleaseName(newest!.release)).toBe('zoo/lion@Beta');
    expect(catalogue.advisories({ limit: 9, kind: 'recalled' })).toEqual([oldest]);
    expect(catalogue.advisories({ limit: 9, before: newest!.index })).toEqual([oldest]);
    expect(catalogue.advisories({ limit: 1 })).toEqual([newest]);
    expect(catalogue.advisory(8)).toEqual(oldest);
    expect(catalogue.advisory(1)).toBeUndefined();
  });

  test('counts models, and lists them by name with their newest release', async () => {
    const catalogue = await index(smallRegistry());
    expect(catalogue.modelCount()).toBe(2);
    const models = catalogue.modelsByName({ limit: 9, offset: 0 });
    expect(models.map(({ model }) => formatModel(model))).toEqual(['acme/kimi-k2', 'zoo/lion']);
    expect(models[0]!.time).toBe(catalogue.releases({ limit: 9 })[1]!.time);
    expect(catalogue.modelsByName({ limit: 9, offset: 1 })).toEqual([models[1]]);
  });

  test('lets the first release of a reference stand where a log has two', async () => {
    const made = smallRegistry();
    made.append(made.entries[1]!);
    const catalogue = await index(made);
    expect(catalogue.release(parseReleaseName('acme/kimi-k2@v1.0'))!.index).toBe(1);
  });

  test('keeps going over entries that no reader accepts, and kinds it does not know', async () => {
    const made = smallRegistry();
    made.append(utf8('no entry'));
    made.append(utf8('{"kind":"novelty","v":1}'));
    const catalogue = await index(made);
    expect(catalogue.size()).toBe(made.entries.length);
  });

  test('lists a release whose manifest has rotted, without its files', async () => {
    const made = smallRegistry();
    const rotten = async () => {
      throw new CodedError('digest-mismatch', 'rotten');
    };
    const catalogue = await openCatalogue(newPath(), logOf(made).log, rotten, { every: 0 });
    opened.push(catalogue);
    expect(catalogue.releases({ limit: 9 })[0]).toMatchObject({ size: 0, files: 0 });
  });

  test('waits for a store that does not answer', async () => {
    const away = async () => {
      throw new CodedError('network', 'away');
    };
    await expect(
      openCatalogue(newPath(), logOf(smallRegistry()).log, away, { every: 0 }),
    ).rejects.toThrowWithCode('network');
  });
});

describe('search', () => {
  const found = async (text: string) =>
    names((await index(smallRegistry())).releases({ text, limit: 9 }));

  test.each([
    ['kimi', ['acme/kimi-k2@v1.1', 'acme/kimi-k2@v1.0']],
    ['KIMI-K2', ['acme/kimi-k2@v1.1', 'acme/kimi-k2@v1.0']],
    ['v1.1', ['acme/kimi-k2@v1.1']],
    ['readme', ['acme/kimi-k2@v1.1']],
    ['weights/tensor', ['zoo/lion@Beta']],
    ['lion kimi', []],
    ['other lion', ['zoo/lion@Beta']],
    ['', []],
    ['"*"', []],
  ])('finds %j', async (text, expected) => {
    expect(await found(text)).toEqual(expected);
  });

  test('finds a release by the beginning of its digest', async () => {
    const made = smallRegistry();
    const digest = digestOf(nodeHost, made.documents('zoo/lion@Beta').manifest);
    const catalogue = await index(made);
    for (const text of [digest, digest.slice(7), digest.slice(7, 19)]) {
      expect(names(catalogue.releases({ text, limit: 9 }))).toEqual(['zoo/lion@Beta']);
    }
  });

  test('takes nothing that people type for an operator', async () => {
    const catalogue = await index(smallRegistry());
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[a-z"*()^:+\-{}\0 ]*$/),
      fc.constantFrom('kimi OR lion', 'kimi NOT lion', 'NEAR(a b)', 'words:kimi', '"', '\ud800'),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const releases = catalogue.releases({ text, limit: 9 });
        if (/\b(?:OR|NOT)\b/.test(text)) expect(releases).toEqual([]);
      }),
    );
  });
});

describe('following the log', () => {
  test('holds only what is published', async () => {
    const made = smallRegistry();
    let size = 3;
    const { log } = logOf(made, () => size);
    const catalogue = await index(made, newPath(), log);
    expect(names(catalogue.releases({ limit: 9 }))).toEqual(['acme/kimi-k2@v1.0']);
    size = made.entries.length;
    expect(catalogue.size()).toBe(3);
    await catalogue.catchUp();
    expect(catalogue.releases({ limit: 9 })).toHaveLength(3);
  });

  test('looks for news by itself', async () => {
    const made = smallRegistry();
    const { log } = logOf(made);
    const catalogue = await openCatalogue(newPath(), log, manifestsOf(made), { every: 1 });
    opened.push(catalogue);
    made.publish('zoo/lion@Two', { a: utf8('a') });
    const appeared = () => catalogue.release(parseReleaseName('zoo/lion@two')) !== undefined;
    while (!appeared()) await new Promise(setImmediate);
    expect(catalogue.size()).toBe(made.entries.length);
  });

  test('goes on where it stopped', async () => {
    const made = smallRegistry();
    const path = newPath();
    (await index(made, path)).close();
    made.publish('zoo/lion@Two', { a: utf8('a') });
    const { log, counted } = logOf(made);
    const catalogue = await index(made, path, log);
    expect(counted.asked).toBe(2);
    expect(catalogue.releases({ limit: MAX_PAGE })).toHaveLength(4);
  });

  test('is the same however often it stopped', async () => {
    const made = smallRegistry();
    const whole = await index(made);
    const path = newPath();
    for (let size = 0; size <= made.entries.length; size++) {
      (await index(made, path, logOf(made, () => size).log)).close();
    }
    const stopped = await index(made, path);
    expect(stopped.releases({ limit: 9 })).toEqual(whole.releases({ limit: 9 }));
    const model = parseModel('acme/kimi-k2');
    expect(stopped.history(model)).toEqual(whole.history(model));
  });

  test.each([
    ['another log of the same registry', () => smallRegistry()],
    ['a shorter log', () => new MadeRegistry()],
  ])('is built anew for %s', async (_, other) => {
    const path = newPath();
    const made = smallRegistry();
    made.heads();
    (await index(made, path)).close();
    const replaced = other();
    replaced.namespace('newly');
    replaced.publish('newly/made@v1', { a: utf8('a') });
    const catalogue = await index(replaced, path);
    const fresh = await index(replaced);
    expect(catalogue.releases({ limit: 9 })).toEqual(fresh.releases({ limit: 9 }));
    expect(catalogue.size()).toBe(replaced.entries.length);
  });

  test('is built anew where the file is rotten or none of ours', async () => {
    const path = newPath();
    writeFileSync(path, 'not a database, but long enough to look like one'.repeat(99));
    const catalogue = await index(smallRegistry(), path);
    expect(catalogue.releases({ limit: 9 })).toHaveLength(3);
  });

  test('has its file for itself', async () => {
    const path = newPath();
    const made = smallRegistry();
    await index(made, path);
    await expect(index(made, path)).rejects.toThrowWithCode('conflict');
  });

  test('forgets what it could not finish, and takes it up again', async () => {
    const made = smallRegistry();
    let away = false;
    const manifestOf: typeof manifests = async (release) => {
      if (away) throw new CodedError('network', 'away');
      return manifests(release);
    };
    const manifests = manifestsOf(made);
    const { log } = logOf(made);
    const catalogue = await openCatalogue(newPath(), log, manifestOf, { every: 0 });
    opened.push(catalogue);
    const size = catalogue.size();
    for (let i = 0; i < 1100; i++) made.append(utf8(`entry ${i}`));
    made.publish('zoo/lion@Two', { a: utf8('a') });
    away = true;
    await expect(catalogue.catchUp()).rejects.toThrowWithCode('network');
    expect(catalogue.size()).toBe(size);
    away = false;
    await catalogue.catchUp();
    expect(catalogue.size()).toBe(made.entries.length);
    expect(catalogue.release(parseReleaseName('zoo/lion@Two'))).toBeDefined();
  });

  test('answers nothing while it is being built, for half a list looks like a whole one', async () => {
    const made = smallRegistry();
    const { promise: more, resolve: goOn } = Promise.withResolvers<void>();
    const manifestOf: typeof manifests = async (release) => {
      await more;
      return manifests(release);
    };
    const manifests = manifestsOf(made);
    const options = { every: 0, patience: 1 };
    const catalogue = await openCatalogue(newPath(), logOf(made).log, manifestOf, options);
    opened.push(catalogue);
    expect(catalogue.isBuilding).toBe(true);
    const release = parseReleaseName('acme/kimi-k2@v1.0');
    const questions = [
      () => catalogue.releases({ limit: 9 }),
      () => catalogue.release(release),
      () => catalogue.byDigest(release, digestOf(nodeHost, utf8('any'))),
      () => catalogue.history(release),
    ];
    for (const ask of questions) expect(ask).toThrowWithCode('overloaded');
    // Whoever has published something waits for it to be listed, but not for the whole log.
    await catalogue.catchUp();
    goOn();
    while (catalogue.isBuilding) await new Promise((resolve) => setImmediate(resolve));
    expect(catalogue.releases({ limit: 9 })).toHaveLength(3);
  });

  test('can be closed while it catches up', async () => {
    const made = smallRegistry();
    const catalogue = await index(made);
    made.heads();
    const running = catalogue.catchUp();
    catalogue.close();
    await expect(running).resolves.toBeUndefined();
  });
});
