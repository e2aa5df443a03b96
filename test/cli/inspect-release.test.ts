/** `inspect REF` and `diff` of published releases, over a real server. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inspectPublished } from '../../src/cli/inspect-published.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { type CountingProxy, countingProxy } from '../made/counting-proxy.ts';
import { pinnedReader } from '../made/reader.ts';
import { Served } from '../made/served.ts';
import { ServedRegistry } from '../made/served-registry.ts';
import { SHARDED, SMALL } from '../made/weights.ts';
import { type Home, makeHome } from './command-line.ts';

/** All that may come from the server for 9 MiB of weights: documents, proofs, headers. */
const LITTLE = 64 * 1024;
const SIZE = Object.values(SHARDED).reduce((sum, { length }) => sum + length, 0);

let served: Served;
let proxy: CountingProxy;
let home: Home;

beforeAll(async () => {
  served = await Served.start();
  proxy = await countingProxy(() => served.url);
  await served.publish('acme/small@v1', SMALL);
  await served.publish('acme/sharded@v1', SHARDED);
  await served.publish('acme/sharded@v2', { ...SHARDED, 'c.safetensors': changedShard() });
  home = await makeHome();
  await home.json('trust', 'add', served.url, '--fingerprint', served.fingerprint);
  home.env.WEIGHHOUSE_URL = `http://127.0.0.1:${proxy.port}`;
});
afterAll(async () => {
  await proxy.close();
  await served.stop();
  await home.remove();
});

/** The last byte is another. */
function changedShard(): Uint8Array {
  const bytes = SHARDED['c.safetensors']!.slice();
  bytes[bytes.length - 1]! ^= 1;
  return bytes;
}

/** Bytes that come from the server while `act` runs. */
async function received(act: () => Promise<unknown>): Promise<number> {
  const before = proxy.down;
  await act();
  return proxy.down - before;
}

describe('inspect of a release', () => {
  test('says what it says of the same files in a directory', async () => {
    await home.json('pull', 'acme/sharded@v1', home.path('sharded'));
    const local = await home.json('inspect', home.path('sharded'));
    const { reference, digest, read, advisories, ...remote } = await home.json(
      'inspect',
      'acme/sharded@v1',
    );
    const files = (local.files as object[]).map((file) => ({ ...file, checked: 'tensors' }));
    expect(remote).toEqual({ ...local, files });
    expect(remote).toMatchObject({
      format: 'safetensors',
      parameters: 9 * 2 ** 20,
      dtypes: { U8: 9 * 2 ** 20 },
    });
    expect({ reference, advisories }).toEqual({ reference: 'acme/sharded@v1', advisories: [] });
    expect(digest).toMatch(/^sha256:/);
  });

  test('reads headers alone, and says how much that was', async () => {
    let read: unknown;
    const bytes = await received(async () => {
      ({ read } = await home.json('inspect', 'acme/sharded@v1'));
    });
    expect(bytes).toBeLessThan(LITTLE);
    expect(read).toEqual({ bytes: expect.any(Number), of: SIZE });
    expect((read as { bytes: number }).bytes).toBeLessThan(1_000);
  });

  test('that is small reads whole files, and shows metadata that is proved', async () => {
    const found = await home.json('inspect', 'acme/small');
    expect(found).toMatchObject({ format: 'mixed', dtypes: { F32: 4096, BF16: 3 } });
    expect(found.files).toEqual([
      { path: 'config.json', size: 21, format: 'json' },
      expect.objectContaining({ tensors: 2, metadata: { format: 'pt' }, checked: 'header' }),
      expect.objectContaining({
        tensors: 0,
        metadata: { 'general.architecture': 'llama' },
        checked: 'header',
      }),
    ]);
  });

  test('for people says what was checked, and shows metadata once', async () => {
    const small = await home.run('inspect', 'acme/small@v1');
    expect(small.stdout).toMatch(/^release +acme\/small@v1$/m);
    expect(small.stdout).toMatch(/^checked +header: every header is, byte for byte, /m);
    expect(small.stdout).toMatch(/^dtypes +F32 4.1 K, BF16 3$/m);
    const { stdout } = await home.run('inspect', 'acme/sharded@v2');
    expect(stdout).toMatch(/^checked +tensors: .*metadata is as the server sent it$/m);
    expect(stdout).toMatch(/^read +[0-9]+ B of 9.0 MiB$/m);
    expect(stdout).toMatch(/^metadata +format: pt$/m);
    expect(stdout.match(/format: pt/g)).toHaveLength(1);
  });

  test('says when there is a newer one, and what was said against it', async () => {
    const { stderr } = await home.run('inspect', 'acme/sharded@v1');
    expect(stderr).toContain('acme/sharded@v1 is not the newest release of its model');
    const { digest } = await served.publish('acme/recalled@v1', SMALL);
    await served.advise('acme/recalled@v1', digest, 'recalled', 'Wrong weights');
    const recalled = await home.run('inspect', 'acme/recalled', '--json');
    expect(recalled.stderr).toContain('acme/recalled@v1: recalled: Wrong weights');
    expect(JSON.parse(recalled.stdout).advisories).toMatchObject([{ kind: 'recalled' }]);
  });

  test('names the files that run code', async () => {
    const made = await ServedRegistry.start();
    made.publish(
      'acme/code@v1',
      { 'config.json': utf8('{"auto_map":{}}'), 'run.py': utf8('') },
      {
        executes: ['config.json', 'run.py'],
        formats: { 'config.json': 'json', 'run.py': 'python' },
      },
    );
    const reader = await pinnedReader(made);
    const { files } = await inspectPublished(reader, parseReference('acme/code'), {});
    await made.close();
    expect(files.map(({ path, executesCode }) => [path, executesCode])).toEqual([
      ['config.json', 'its manifest says so'],
      ['run.py', 'Python code'],
    ]);
  });
});

describe('what is there neither as a path nor as a release', () => {
  test.each(['nothing', './no/thing', 'a/b/c', '~/acme', 'acme/absent', 'acme/small@v9'])(
    'is not found: %s',
    async (text) => {
      for (const command of [
        ['inspect', text],
        ['diff', text, 'acme/small'],
      ]) {
        expect((await home.run(...command)).status).toBe(4);
      }
    },
  );

  test('is not found without a registry either, and one is asked for', async () => {
    const stranger = await makeHome();
    const { status, stderr } = await stranger.run('inspect', 'acme/small');
    await stranger.remove();
    expect(status).toBe(4);
    expect(stderr).toContain('--url');
  });
});

describe('diff of two releases', () => {
  test('finds the tensor that changed, and reads no weights', async () => {
    let found: unknown;
    const bytes = await received(async () => {
      found = await home.json('diff', 'acme/sharded@v1', 'acme/sharded@v2');
    });
    expect(found).toEqual({
      added: [],
      removed: [],
      changed: [{ kind: 'tensor', name: 'c', what: 'U8 [3145728]: other values' }],
    });
    expect(bytes).toBeLessThan(2 * LITTLE);
  });
});
