/**
 * The suite that every store must pass. It is written against the contract alone, so it may
 * not look at what lies behind it. Keep races small: some S3 servers let losers wait for
 * whole seconds.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { equal, formatUint64, utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import {
  DEFAULT_MAX_BYTES,
  type Part,
  type Store,
  type UploadId,
  type UploadShape,
  type Version,
} from '../../src/store/contract.ts';
import { type Key, type KeyPrefix, keys, parseKey, prefixes } from '../../src/store/keys.ts';
import { MIN_PART_SIZE } from '../../src/store/upload-shape.ts';

/** One empty storage, and any number of stores over it. */
export interface Storage {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

/** Runs the suite over storages that `make` makes. */
export function storeContract(name: string, make: () => Promise<Storage>): void {
  describe(`${name} keeps the store's contract`, () => {
    let storage: Storage;
    /** Two servers on one storage. */
    let store: Store;
    let other: Store;

    beforeAll(async () => {
      storage = await make();
      store = await storage.open();
      other = await storage.open();
    });

    afterAll(async () => {
      await store.close();
      await other.close();
      await storage.remove();
    });

    describe('create and get', () => {
      test('what was created is read back at once, by every server', async () => {
        const key = freshKey();
        expect(await store.create(key, utf8('bytes'))).toBe('created');
        expect((await store.get(key))?.bytes).toEqual(utf8('bytes'));
        expect((await other.get(key))?.bytes).toEqual(utf8('bytes'));
        expect(await other.size(key)).toBe(5);
      });

      test('an object and a document are dated by the store when they were written', async () => {
        const [object, document] = [freshKey(), freshKey()];
        expect(await store.stat(object)).toBeUndefined();
        await store.create(object, utf8('bytes'));
        const first = await store.swap(document, null, utf8('first'));
        const written = (await store.stat(object))!.modified;
        // One machine, one clock; some stores tell no more than the second.
        expect(Math.abs(written - Date.now())).toBeLessThan(10_000);
        const begun = (await store.stat(document))!;
        expect(begun.version).toBe(first);
        const second = await store.swap(document, begun.version, utf8('second'));
        const now = (await other.stat(document))!;
        expect(now.version).toBe(second);
        expect(now.modified).toBeGreaterThanOrEqual(begun.modified);
      });

      test('an empty object is an object', async () => {
        const key = freshKey();
        await store.create(key, new Uint8Array());
        expect(await store.size(key)).toBe(0);
        expect((await store.get(key))?.bytes).toEqual(new Uint8Array());
        expect(await contentOf(await store.read(key))).toEqual(new Uint8Array());
      });

      test('create never replaces', async () => {
        const key = freshKey();
        await store.create(key, utf8('first'));
        expect(await store.create(key, utf8('second'))).toBe('exists');
        expect(await other.create(key, utf8('third'))).toBe('exists');
        expect((await store.get(key))?.bytes).toEqual(utf8('first'));
      });

      test('of writers who create one key at the same time exactly one wins', async () => {
        for (let round = 0; round < RACES; round++) {
          const key = freshKey();
          const outcomes = await race((server, writer) => server.create(key, formatUint64(writer)));
          expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
          const winner = outcomes.indexOf('created');
          expect((await store.get(key))?.bytes).toEqual(formatUint64(winner));
        }
      });

      test('what is not there is undefined, or not-found for a stream', async () => {
        const key = freshKey();
        expect(await store.get(key)).toBeUndefined();
        expect(await store.size(key)).toBeUndefined();
        await expect(store.read(key)).rejects.toThrowWithCode('not-found');
      });

      test('get reads an object of its limit and refuses one byte more', async () => {
        const key = freshKey();
        await store.create(key, new Uint8Array(1000));
        expect((await store.get(key, 1000))?.bytes).toHaveLength(1000);
        await expect(store.get(key, 999)).rejects.toThrowWithCode('too-large');
      });

      test('get refuses an object over 16 MiB unless it is told otherwise', async () => {
        const key = freshKey();
        await store.create(key, new Uint8Array(DEFAULT_MAX_BYTES + 1));
        await expect(store.get(key)).rejects.toThrowWithCode('too-large');
        expect((await store.get(key, 2 * DEFAULT_MAX_BYTES))?.bytes).toHaveLength(
          DEFAULT_MAX_BYTES + 1,
        );
        await store.delete(key);
      });

      test('a key may have segments of 255 bytes, and many of them', async () => {
        const long = parseKey(`${'a'.repeat(255)}/${fresh()}/${'b'.repeat(255)}`);
        expect(await store.create(long, utf8('far down'))).toBe('created');
        expect((await store.get(long))?.bytes).toEqual(utf8('far down'));
        const document = parseKey(`${'c'.repeat(255)}/${fresh()}/${'d'.repeat(255)}`);
        expect(await store.swap(document, null, utf8('far down too'))).toBeDefined();
        expect((await store.get(document))?.bytes).toEqual(utf8('far down too'));
      });

      test('keys side by side do not meet: a-b, a.b, a/b', async () => {
        const base = fresh();
        const siblings = [`${base}-b`, `${base}.b`, `${base}/b`, `${base}_b`].map(parseKey);
        for (const key of siblings) await store.create(key, utf8(key));
        for (const key of siblings) expect((await store.get(key))?.bytes).toEqual(utf8(key));
      });
    });

    describe('read', () => {
      const content = Uint8Array.from({ length: 1_000_003 }, (_, index) => index % 251);
      let key: Key;

      beforeAll(async () => {
        key = freshKey();
        await store.create(key, content);
      });

      test('streams the whole object', async () => {
        expectSame(await contentOf(await store.read(key)), content);
      });

      test.each([
        [0, 1],
        [0, 1_000_003],
        [1_000_002, 1],
        [262_143, 2],
        [262_144, 262_144],
        [5, 0],
        [1_000_003, 0],
      ])('streams exactly the bytes of a range: %i, %i bytes', async (offset, length) => {
        const range = await contentOf(await store.read(key, { offset, length }));
        expectSame(range, content.subarray(offset, offset + length));
      });

      test.each([
        [0, 1_000_004],
        [1_000_003, 1],
        [2_000_000, 5],
      ])('refuses a range that ends behind the object: %i, %i bytes', async (offset, length) => {
        const reading = store.read(key, { offset, length }).then(contentOf);
        await expect(reading).rejects.toThrowWithCode('storage');
      });

      test('a reader that stops early lets go of the object', async () => {
        for (let times = 0; times < 60; times++) await (await store.read(key)).cancel();
        expect(await contentOf(await store.read(key))).toHaveLength(content.length);
      });

      test('a document is streamed as it is now', async () => {
        const document = freshKey();
        const version = await swapped(store, document, null, 'one');
        await swapped(store, document, version, 'two and more');
        expect(await contentOf(await store.read(document))).toEqual(utf8('two and more'));
        expect(await contentOf(await store.read(document, { offset: 4, length: 3 }))).toEqual(
          utf8('and'),
        );
        expect(await store.size(document)).toBe(12);
      });
    });

    describe('swap', () => {
      test('what was swapped in is read back at once, by every server', async () => {
        const key = freshKey();
        const version = await swapped(store, key, null, 'one');
        expect(await store.get(key)).toEqual({ bytes: utf8('one'), version });
        const next = await swapped(other, key, version, 'two');
        expect(next).not.toBe(version);
        expect(await store.get(key)).toEqual({ bytes: utf8('two'), version: next });
      });

      test('a document that is there is not made anew', async () => {
        const key = freshKey();
        await swapped(store, key, null, 'one');
        expect(await other.swap(key, null, utf8('two'))).toBeUndefined();
        expect((await store.get(key))?.bytes).toEqual(utf8('one'));
      });

      test('an old version swaps nothing, however old it is', async () => {
        const key = freshKey();
        const versions: Version[] = [await swapped(store, key, null, 'number 0')];
        for (let n = 1; n <= 20; n++) {
          versions.push(await swapped(store, key, versions.at(-1)!, `number ${n}`));
        }
        for (const old of versions.slice(0, -1)) {
          expect(await other.swap(key, old, utf8(`after ${old}`))).toBeUndefined();
        }
        expect((await store.get(key))?.bytes).toEqual(utf8('number 20'));
      });

      test('of writers who make one document at the same time exactly one wins', async () => {
        for (let round = 0; round < RACES; round++) {
          const key = freshKey();
          const outcomes = await race((server, writer) =>
            server.swap(key, null, formatUint64(writer)),
          );
          expectOneWinner(outcomes, await store.get(key));
        }
      });

      test('of writers who swap one version at the same time exactly one wins', async () => {
        const key = freshKey();
        let version = await swapped(store, key, null, 'start');
        for (let round = 1; round <= RACES; round++) {
          const outcomes = await race((server, writer) =>
            server.swap(key, version, formatUint64(round * 100 + writer)),
          );
          version = expectOneWinner(outcomes, await store.get(key), round * 100);
        }
      });

      test('a counter that several servers raise loses nothing', async () => {
        const key = freshKey();
        await swapped(store, key, null, '0');
        const raise = async (server: Store, times: number): Promise<void> => {
          for (let done = 0; done < times; ) {
            const found = await server.get(key);
            const next = Number(new TextDecoder().decode(found?.bytes)) + 1;
            if ((await server.swap(key, found!.version, utf8(String(next)))) !== undefined) done++;
          }
        };
        await Promise.all([raise(store, 12), raise(other, 12), raise(await storage.open(), 12)]);
        expect((await store.get(key))?.bytes).toEqual(utf8('36'));
      });

      test('a reader beside a writer sees every document whole, and never an older one again', async () => {
        const key = freshKey();
        let version = await swapped(store, key, null, bigDocument(0));
        let writing = true;
        const reader = (async () => {
          let newest = 0;
          while (writing) {
            const text = new TextDecoder().decode((await other.get(key))?.bytes);
            const number = Number(text.split('\n')[0]);
            expect(text).toBe(bigDocument(number));
            expect(number).toBeGreaterThanOrEqual(newest);
            newest = number;
          }
        })();
        for (let n = 1; n <= 30; n++) version = await swapped(store, key, version, bigDocument(n));
        writing = false;
        await reader;
      });

      test('a document that was removed cannot be swapped by a version of it', async () => {
        const key = freshKey();
        const version = await swapped(store, key, null, 'one');
        await store.delete(key);
        expect(await store.get(key)).toBeUndefined();
        expect(await other.swap(key, version, utf8('two'))).toBeUndefined();
        await swapped(store, key, null, 'anew');
        expect(await other.swap(key, version, utf8('three'))).toBeUndefined();
        expect((await store.get(key))?.bytes).toEqual(utf8('anew'));
      });
    });

    describe('list and delete', () => {
      test('lists every key below a prefix, once, and no other', async () => {
        const base = fresh();
        const inside = ['a', 'b/c', 'b/d/e', 'b-c', 'z'].map((rest) => parseKey(`${base}/${rest}`));
        for (const key of inside) await store.create(key, utf8(key));
        await swapped(store, parseKey(`${base}/document`), null, 'one');
        await store.create(parseKey(`${base}-not/a`), utf8('beside'));
        const document = parseKey(`${base}/document`);
        expect(await listed(other, `${base}/` as KeyPrefix)).toEqual([...inside, document].sort());
        expect(await listed(other, `${base}/b/` as KeyPrefix)).toEqual(
          [`${base}/b/c`, `${base}/b/d/e`].sort(),
        );
      });

      test('lists nothing where nothing is', async () => {
        expect(await listed(store, `${fresh()}/` as KeyPrefix)).toEqual([]);
      });

      test('lists more keys than fit into one answer of S3', async () => {
        const base = fresh();
        const wanted = Array.from({ length: 1_050 }, (_, index) => parseKey(`${base}/${index}`));
        await inTurns(wanted, 50, (key) => store.create(key, utf8(key)));
        expect(await listed(store, `${base}/` as KeyPrefix)).toEqual(wanted.sort());
      });

      test('what was deleted is gone for every server, and may be created anew', async () => {
        const key = freshKey();
        await store.create(key, utf8('first'));
        await other.delete(key);
        expect(await store.get(key)).toBeUndefined();
        expect(await listed(store, prefixes.revoked())).not.toContain(key);
        expect(await store.create(key, utf8('second'))).toBe('created');
        expect((await other.get(key))?.bytes).toEqual(utf8('second'));
      });

      test('a removed document is listed no more', async () => {
        const base = fresh();
        const key = parseKey(`${base}/document`);
        await swapped(store, key, null, 'one');
        await store.delete(key);
        expect(await listed(other, `${base}/` as KeyPrefix)).toEqual([]);
      });

      test('deleting what is not there does nothing, nor to what lies below it', async () => {
        const base = fresh();
        await store.create(parseKey(`${base}/below`), utf8('stays'));
        await store.delete(parseKey(base));
        await store.delete(freshKey());
        expect((await store.get(parseKey(`${base}/below`)))?.bytes).toEqual(utf8('stays'));
      });
    });

    describe('uploads', () => {
      const shape: UploadShape = { size: 2 * MIN_PART_SIZE + 1234, partSize: MIN_PART_SIZE };
      const content = Uint8Array.from({ length: shape.size }, (_, index) => (index * 31) % 253);
      const lengths = [MIN_PART_SIZE, MIN_PART_SIZE, 1234];

      const bytesOf = (number: number): Uint8Array =>
        content.subarray((number - 1) * MIN_PART_SIZE).subarray(0, lengths[number - 1]);
      const put = (key: Key, id: UploadId, number: number, server = store): Promise<Part> =>
        server.putPart(key, id, number, lengths[number - 1]!, inChunks(bytesOf(number)));
      const expectContent = async (key: Key): Promise<void> => {
        expect(await store.size(key)).toBe(shape.size);
        expectSame(await contentOf(await other.read(key)), content);
      };

      test('parts in any order, in parallel and through several servers make the object', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        const parts = await Promise.all([
          put(key, id, 3),
          put(key, id, 1, other),
          put(key, id, 2, await storage.open()),
        ]);
        expect(await store.size(key)).toBeUndefined();
        await other.completeUpload(key, id, parts);
        await expectContent(key);
      });

      test('an upload of one byte has one part', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, { size: 1, partSize: MIN_PART_SIZE });
        const part = await store.putPart(key, id, 1, 1, inChunks(utf8('x')));
        await store.completeUpload(key, id, [part]);
        expect((await store.get(key))?.bytes).toEqual(utf8('x'));
      });

      test('a part that is written again replaces the first one', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        await store.putPart(key, id, 2, MIN_PART_SIZE, inChunks(new Uint8Array(MIN_PART_SIZE)));
        const parts = [await put(key, id, 1), await put(key, id, 2), await put(key, id, 3)];
        await store.completeUpload(key, id, parts);
        await expectContent(key);
      });

      test('a missing part is named, and the upload goes on with it', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        const [first, third] = [await put(key, id, 1), await put(key, id, 3)];
        const incomplete = store.completeUpload(key, id, [first, third]);
        await expect(incomplete).rejects.toMatchObject({ code: 'conflict', details: { part: 2 } });
        const claimed = [first, { ...first, number: 2 }, third];
        const completing = store.completeUpload(key, id, claimed);
        await expect(completing).rejects.toMatchObject({ code: 'conflict', details: { part: 2 } });
        expect(await store.size(key)).toBeUndefined();
        await store.completeUpload(key, id, [third, await put(key, id, 2), first]);
        await expectContent(key);
      });

      test.each([
        ['too few bytes', (part: Uint8Array) => inChunks(part.subarray(1))],
        ['no bytes', () => inChunks(new Uint8Array())],
        ['a byte too many', (part: Uint8Array) => inChunks(part, utf8('x'))],
        ['a megabyte too many', (part: Uint8Array) => inChunks(part, new Uint8Array(1 << 20))],
      ])('a part with %s is refused and stays absent', async (_, sent) => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        const [first, second] = [await put(key, id, 1), await put(key, id, 2)];
        const third = store.putPart(key, id, 3, 1234, sent(bytesOf(3)));
        await expect(third).rejects.toThrowWithCode('digest-mismatch');
        const completing = store.completeUpload(key, id, [first, second, { ...first, number: 3 }]);
        await expect(completing).rejects.toThrowWithCode('conflict');
        await store.completeUpload(key, id, [first, second, await put(key, id, 3)]);
        await expectContent(key);
      });

      test('what a sender throws is passed on, and its part is absent', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, { size: 1234, partSize: MIN_PART_SIZE });
        const failure = new Error('the client hung up');
        await expect(
          store.putPart(key, id, 1, 1234, failing(utf8('the first bytes'), failure)),
        ).rejects.toBe(failure);
        await expect(
          store.completeUpload(key, id, [{ number: 1, tag: '' }]),
        ).rejects.toThrowWithCode('conflict');
      });

      test('a part of another length than its place in the object is refused', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        await expect(
          store.putPart(key, id, 3, 1235, inChunks(new Uint8Array(1235))),
        ).rejects.toThrowWithCode('digest-mismatch');
      });

      test('completing twice is the same as once, one after the other or at once', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        const parts = [await put(key, id, 1), await put(key, id, 2), await put(key, id, 3)];
        await Promise.all([
          store.completeUpload(key, id, parts),
          store.completeUpload(key, id, parts),
        ]);
        await other.completeUpload(key, id, parts);
        await expectContent(key);
      });

      test('an aborted upload is forgotten, and aborting it again does nothing', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        await put(key, id, 1);
        await store.abortUpload(key, id);
        await store.abortUpload(key, id);
        await other.abortUpload(key, id);
        await expect(put(key, id, 2)).rejects.toThrowWithCode('not-found');
        expect(await store.size(key)).toBeUndefined();
      });

      test('uploads into which nothing came for a while are forgotten, by several servers at once', async () => {
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        await put(key, id, 1);
        expect(await store.abandonUploads(3_600_000)).toBe(0);
        await put(key, id, 2);
        // A minute into the future everything is old.
        const both = [store.abandonUploads(-60_000), other.abandonUploads(-60_000)];
        const [ours, theirs] = (await Promise.all(both)) as [number, number];
        expect(ours + theirs).toBeGreaterThan(0);
        await expect(put(key, id, 3)).rejects.toThrowWithCode('not-found');
        expect(await store.size(key)).toBeUndefined();
      });

      test('what the parts of a direct upload are is the store’s to see to', async () => {
        const { direct } = store;
        if (direct === undefined) return;
        const key = freshKey();
        const id = await store.beginUpload(key, shape);
        const shapes = lengths.map((length, i) => {
          const sha256 = digestOf(nodeHost, bytesOf(i + 1));
          return { number: i + 1, length, sha256 };
        });
        const requests = await direct.signParts(key, id, shapes, 60);
        const sent = await Promise.all(
          requests.map(({ url, headers }, i) => send(url, headers, bytesOf(i + 1))),
        );
        expect(sent.map(({ status }) => status)).toEqual([200, 200, 200]);
        const other = await send(
          requests[0]!.url,
          requests[0]!.headers,
          new Uint8Array(MIN_PART_SIZE),
        );
        expect(other.status).toBe(400);
        const tags = sent.map(({ headers }) => headers.get('etag')!);
        const parts = shapes.map(({ number, sha256 }, i) => ({ number, sha256, tag: tags[i]! }));
        await store.completeUpload(key, id, parts);
        await expectContent(key);
        const late = await send(requests[1]!.url, requests[1]!.headers, bytesOf(2));
        expect(late.status).toBe(404);
        await expect(direct.signParts(key, id, shapes, 60)).rejects.toThrowWithCode('not-found');
        const as = { type: 'text/x', disposition: 'attachment; filename="é"', cache: 'no-store' };
        const read = await fetch(await direct.signRead(key, as, 60));
        expect(read.headers.get('content-type')).toBe('text/x');
        expect(read.headers.get('cache-control')).toBe('no-store');
        expectSame(new Uint8Array(await read.arrayBuffer()), content);
        await expectContent(key);
      });

      test('an upload in progress is listed nowhere', async () => {
        const base = fresh();
        const key = parseKey(`${base}/blob`);
        const id = await store.beginUpload(key, shape);
        await put(key, id, 1);
        expect(await listed(store, `${base}/` as KeyPrefix)).toEqual([]);
        await store.abortUpload(key, id);
      });

      test.each([
        ['an empty object', { size: 0, partSize: MIN_PART_SIZE }],
        ['parts under 5 MiB', { size: 10, partSize: MIN_PART_SIZE - 1 }],
        ['more than 10,000 parts', { size: 10_000 * MIN_PART_SIZE + 1, partSize: MIN_PART_SIZE }],
      ])('an upload with %s is refused at once', async (_, wrong) => {
        await expect(store.beginUpload(freshKey(), wrong)).rejects.toThrowWithCode('internal');
      });
    });

    /** `WRITERS` writers spread over the two servers, at the same time. */
    function race<T>(write: (server: Store, writer: number) => Promise<T>): Promise<T[]> {
      return Promise.all(
        Array.from({ length: WRITERS }, (_, writer) =>
          write(writer % 2 === 0 ? store : other, writer),
        ),
      );
    }
  });
}

function send(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array) {
  return fetch(url, { method: 'PUT', headers, body: body as Uint8Array<ArrayBuffer> });
}

const RACES = 8;
const WRITERS = 4;

let counter = 0;

/** A name that no other test has. */
function fresh(): string {
  counter++;
  return `contract-${counter}-${crypto.randomUUID()}`;
}

function freshKey(): Key {
  return keys.revoked(fresh());
}

async function swapped(
  store: Store,
  key: Key,
  expected: Version | null,
  text: string,
): Promise<Version> {
  const version = await store.swap(key, expected, utf8(text));
  expect(version).toBeDefined();
  return version!;
}

function expectOneWinner(
  outcomes: readonly (Version | undefined)[],
  found: Awaited<ReturnType<Store['get']>>,
  base = 0,
): Version {
  const winners = outcomes.filter((outcome) => outcome !== undefined);
  expect(winners).toHaveLength(1);
  expect(found?.version).toBe(winners[0]);
  expect(found?.bytes).toEqual(formatUint64(base + outcomes.indexOf(winners[0])));
  return winners[0]!;
}

/** As toEqual, which takes seconds for a megabyte. */
function expectSame(found: Uint8Array, wanted: Uint8Array): void {
  expect(found.length).toBe(wanted.length);
  expect(equal(found, wanted)).toBe(true);
}

/** A document whose every line tells its number. */
function bigDocument(number: number): string {
  return `${number}\n`.repeat(5_000);
}

async function contentOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function listed(store: Store, prefix: KeyPrefix): Promise<string[]> {
  const found: string[] = [];
  for await (const key of store.list(prefix)) found.push(key);
  return found.sort();
}

/** The bytes as they come from a socket: in chunks that fit nothing. */
async function* inChunks(...runs: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const bytes of runs) {
    for (let at = 0; at < bytes.length; at += 65_521) yield bytes.slice(at, at + 65_521);
  }
}

async function* failing(bytes: Uint8Array, failure: Error): AsyncIterable<Uint8Array> {
  yield bytes;
  throw failure;
}

async function inTurns<T>(
  items: readonly T[],
  together: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < items.length; at += together) {
    await Promise.all(items.slice(at, at + together).map(work));
  }
}
