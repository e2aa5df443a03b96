/** Looking into a release over the network. Servers that lie are in test/attack/lying-header.test.ts. */
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { parseFilePath } from '../../src/core/release/path.ts';
import { headerLength } from '../../src/core/weights/header.ts';
import { inspectFile } from '../../src/core/weights/inspect.ts';
import { readerOf } from '../../src/core/weights/reader.ts';
import { inspectRelease } from '../../src/transfer/inspect-release.ts';
import { pinnedReader } from '../made/reader.ts';
import { type Contents, ServedRegistry } from '../made/served-registry.ts';
import { publishWeights, SHARDED, SMALL } from '../made/weights.ts';

const ASKED = parseReference('acme/tiny@v1');

let served: ServedRegistry;
let reader: Reader;
/** Headers of the requests for content. */
let asked: IncomingHttpHeaders[];

beforeEach(async () => {
  asked = [];
  served = await ServedRegistry.start();
  served.spoil = ({ headers }) => {
    asked.push(headers);
    return false;
  };
  reader = await pinnedReader(served);
});
afterEach(() => served.close());

const ranges = () => asked.map(({ range }) => range);
const verifies = () => new Set(asked.map((headers) => headers['weighhouse-verifies']));

/** What looking into the weights on this machine finds. */
async function atHome(files: Contents) {
  const all = Object.entries(files).map(([path, bytes]) =>
    inspectFile(parseFilePath(path), readerOf(bytes)),
  );
  return (await Promise.all(all)).filter(({ tensors }) => tensors !== undefined);
}

describe('looking into a release', () => {
  test.each([
    ['header', SMALL],
    ['tensors', SHARDED],
  ])('to the level "%s" finds what a look at its files finds', async (level, files) => {
    await publishWeights(served, 'acme/tiny@v1', files);
    const found = await inspectRelease(reader, ASKED);
    expect(found).toMatchObject({ level, inspections: await atHome(files) });
    expect(found.resolved.verified.release).toMatchObject({ name: 'tiny', version: 'v1' });
  });

  test('that is small takes whole chunks, and tells the server that they are checked', async () => {
    await publishWeights(served, 'acme/tiny@v1', SMALL);
    const { received } = await inspectRelease(reader, ASKED);
    const weights = [SMALL['model.safetensors']!, SMALL['vocabulary.gguf']!];
    expect(ranges()).toEqual(weights.map(({ length }) => `bytes=0-${length - 1}`));
    expect(received).toBe(weights[0]!.length + weights[1]!.length);
    expect(verifies()).toEqual(new Set(['chunks']));
  });

  test('of many shards takes the bytes before their weights alone, and has the server check them', async () => {
    await publishWeights(served, 'acme/tiny@v1', SHARDED);
    const progress: number[] = [];
    const onProgress = ({ bytes, total }: { bytes: number; total: number }) =>
      progress.push(bytes / total);
    const { received } = await inspectRelease(reader, ASKED, { onProgress });
    const lengths = (await atHome(SHARDED)).map((file) =>
      headerLength({ ...file, format: 'safetensors', tensors: file.tensors! }),
    );
    expect(ranges()).toEqual(lengths.map((length) => `bytes=0-${length - 1}`));
    expect(received).toBe(lengths.reduce((sum, length) => sum + length, 0));
    expect(verifies()).toEqual(new Set([undefined]));
    expect(served.requests.filter((path) => path.includes('/chunks/'))).toEqual([]);
    expect(progress.at(-1)).toBe(1);
  });

  test('without weights reads none of its files', async () => {
    served.publish('acme/tiny@v1', { 'README.md': utf8('Hello') });
    expect(await inspectRelease(reader, ASKED)).toMatchObject({ inspections: [], received: 0 });
    expect(asked).toEqual([]);
  });

  test('that was recalled is possible: the advisory comes with it', async () => {
    await publishWeights(served, 'acme/tiny@v1', SMALL);
    served.made.advise('acme/tiny@v1', 'recalled', 'Wrong weights');
    served.heads();
    const { resolved } = await inspectRelease(reader, ASKED);
    expect(resolved.advisories).toMatchObject([{ entry: { advisory: 'recalled' } }]);
  });

  test('asks again when the network fails, and counts what came', async () => {
    await publishWeights(served, 'acme/tiny@v1', SHARDED);
    const honest = await inspectRelease(reader, ASKED);
    let failures = 3;
    served.spoil = (_, response, { bytes, start, size }) => {
      if (failures-- <= 0) return false;
      const range = `bytes ${start}-${start + bytes.length - 1}/${size}`;
      response.writeHead(206, { 'content-length': bytes.length, 'content-range': range });
      response.write(bytes.subarray(0, 10), () => response.destroy());
      return true;
    };
    const found = await inspectRelease(reader, ASKED);
    expect(found.inspections).toEqual(honest.inspections);
    expect(found.received).toBe(honest.received + 30);
  });

  test('stops when it is told to', async () => {
    await publishWeights(served, 'acme/tiny@v1', SHARDED);
    const stopping = new AbortController();
    served.spoil = () => {
      stopping.abort();
      return false;
    };
    const looking = inspectRelease(reader, ASKED, { signal: stopping.signal });
    await expect(looking).rejects.toThrowWithCode('interrupted');
  });
});
