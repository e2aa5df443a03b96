/** Bit rot is never served as good; only a client that says it verifies may have the bytes. */
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MIN_CHUNK_SIZE } from '../../src/core/release/chunks.ts';
import { filePath, Served } from '../made/served.ts';

const CHUNK = MIN_CHUNK_SIZE;
const REFERENCE = 'acme/tiny@v1';
const WEIGHTS = new Uint8Array(2 * CHUNK + 9).fill(7);
const VERIFIES = { 'weighhouse-verifies': 'chunks' };

let served: Served;
let blob: string;
beforeAll(async () => {
  served = await Served.start();
  await served.publish(REFERENCE, { 'weights.bin': WEIGHTS });
  blob = await served.blobOf(REFERENCE, 'weights.bin');
});
beforeEach(() => {
  writeFileSync(blob, WEIGHTS);
  served.logged.length = 0;
});
afterAll(() => served.stop());

function get(headers: Readonly<Record<string, string>> = {}) {
  return served.fetch(filePath(REFERENCE, 'weights.bin'), { headers });
}

/** Changes one byte behind the registry's back. */
function flipByte(offset: number): void {
  const file = openSync(blob, 'r+');
  writeSync(file, Uint8Array.of(WEIGHTS[offset]! ^ 1), 0, 1, offset);
  closeSync(file);
}

/** The path itself where it is a file, the only file below it where it is a folder. */
function fileBelow(path: string): string {
  if (statSync(path).isFile()) return path;
  const [entry] = readdirSync(path);
  return fileBelow(join(path, entry!));
}

/** What comes before the connection is cut. */
async function readUntilCut(response: Response): Promise<{ bytes: Buffer; isCut: boolean }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of response.body!) parts.push(part);
    return { bytes: Buffer.concat(parts), isCut: false };
  } catch {
    return { bytes: Buffer.concat(parts), isCut: true };
  }
}

describe('a byte that changed in the store', () => {
  test('in the first chunk is answered with a problem that names nothing of the store', async () => {
    flipByte(CHUNK - 1);
    const response = await get();
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    for (const header of ['etag', 'content-disposition', 'repr-digest', 'accept-ranges']) {
      expect([header, response.headers.get(header)]).toEqual([header, null]);
    }
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(text)).toMatchObject({ code: 'storage', details: {} });
    expect(text).not.toContain(served.folder);
  });

  test('in a later chunk cuts the connection before any byte of that chunk', async () => {
    flipByte(CHUNK);
    const { bytes, isCut } = await readUntilCut(await get());
    expect(isCut).toBe(true);
    expect(bytes.length).toBeLessThanOrEqual(CHUNK);
  });

  test('is found by a range that touches its chunk and not its place', async () => {
    flipByte(CHUNK);
    expect((await get({ range: `bytes=${2 * CHUNK - 1}-` })).status).toBe(500);
    expect((await get({ range: `bytes=${2 * CHUNK}-` })).status).toBe(206);
    expect((await get({ range: `bytes=0-${CHUNK - 1}` })).status).toBe(206);
  });

  test('reaches a client that says it verifies, which is told the digest to hold it against', async () => {
    flipByte(0);
    const response = await get(VERIFIES);
    expect(response.status).toBe(200);
    expect((await response.bytes())[0]).toBe(WEIGHTS[0]! ^ 1);
  });

  test('is logged with the file and the chunk', async () => {
    flipByte(CHUNK);
    await readUntilCut(await get());
    const failures = served.logged.filter((line) => line.includes('request failed'));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('weights.bin are damaged in chunk 1');
  });
});

describe('a document that changed in the store', () => {
  test.each([
    ['digests/sha256', filePath(REFERENCE, 'weights.bin')],
    ['chunks/sha256', '/api/v1/releases/acme/tiny/v1/chunks/weights.bin'],
  ])(
    'is the registry’s failure and not the caller’s, and logged by its key (%s)',
    async (prefix, path) => {
      expect((await served.fetch(path)).status).toBe(200);
      const file = fileBelow(join(served.folder, 'store', 'objects', prefix));
      const bytes = readFileSync(file);
      chmodSync(file, 0o600);
      const changed = Buffer.from(bytes);
      changed[1]! ^= 1;
      writeFileSync(file, changed);
      const response = await served.fetch(path);
      writeFileSync(file, bytes);
      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({ code: 'storage', details: {} });
      // What the test before has cut may still be logged.
      const ofThisKey = (line: string) => line.includes('request failed') && line.includes(prefix);
      expect(served.logged.filter(ofThisKey)).toHaveLength(1);
      expect((await served.fetch(path)).status).toBe(200);
    },
  );
});

describe('every document of a policy changed in the store', () => {
  test('are one failed request, and nothing that ends the process', async () => {
    const statements = join(served.folder, 'store', 'objects', 'statements', 'sha256');
    const files = readdirSync(statements, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const before = new Map(files.map((file) => [file, readFileSync(file)]));
    for (const file of files) {
      chmodSync(file, 0o600);
      writeFileSync(file, 'not what it was');
    }
    try {
      const response = await served.fetch('/api/v1/namespaces/acme/policy');
      expect(response.status).toBe(500);
      await setImmediate(); // a rejection that nobody awaits fails the test here, and ended the server
    } finally {
      for (const [file, bytes] of before) writeFileSync(file, bytes);
    }
  });
});

describe('a file that is shorter than it should be', () => {
  test.each([{}, VERIFIES])('is never completed (%o)', async (headers) => {
    truncateSync(blob, 2 * CHUNK + 8);
    const response = await get(headers);
    if (response.status === 200) expect((await readUntilCut(response)).isCut).toBe(true);
    else expect(response.status).toBe(500);
  });
});
