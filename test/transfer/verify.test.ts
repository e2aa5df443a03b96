import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryPins } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { noise } from '../made/noise.ts';
import { pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const pool = new HashingPool();
let served: ServedRegistry;
let reader: Reader;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-verify-'));
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', {
    'config.json': utf8('{}'),
    'onnx/model.bin': noise(1, 9 * 2 ** 20),
    'vocab.txt': utf8('a b c'),
  });
  reader = await pinnedReader(served);
  await pull(reader, pool, parseReference('acme/tiny'), folder);
});
afterEach(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => pool.close());

function verify(full = false) {
  return verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder, { full });
}

/** Changes one bit of a file. */
async function flip(path: string, place = 0.5): Promise<void> {
  const bytes = await readFile(join(folder, path));
  bytes[Math.floor(bytes.length * place)]! ^= 1;
  await writeFile(join(folder, path), bytes);
}

describe('a folder', () => {
  test('as it was pulled is good, offline, and says what was checked', async () => {
    served.tamper = () => undefined;
    const verdict = await verify();
    expect(verdict).toMatchObject({ ok: true, reference: 'acme/tiny@v1', files: 3 });
    expect(verdict.ok && verdict.checks.at(-1)).toMatch(/chunks \(sha256: attested\) of all 3/);
  });

  test.each([false, true])(
    'with a changed bit is refused, naming the file (full: %s)',
    async (full) => {
      await flip('onnx/model.bin');
      expect(await verify(full)).toMatchObject({
        ok: false,
        code: 'digest-mismatch',
        evidence: { changed: ['onnx/model.bin'], missing: [], extra: [] },
      });
    },
  );

  test('of which much is wrong is refused with all of it', async () => {
    await flip('config.json');
    await rename(join(folder, 'vocab.txt'), join(folder, 'Vocab.txt'));
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, '.git', 'config'), 'x');
    expect(await verify()).toMatchObject({
      ok: false,
      evidence: {
        changed: ['config.json'],
        missing: ['vocab.txt'],
        extra: ['.git/config', 'Vocab.txt'],
      },
    });
  });

  test('with a shorter, a longer or a linked file is refused', async () => {
    const config = join(folder, 'config.json');
    for (const content of ['', '{} ']) {
      await writeFile(config, content);
      expect(await verify()).toMatchObject({ ok: false, evidence: { changed: ['config.json'] } });
    }
    await rm(config);
    await writeFile(join(folder, '.weighhouse', 'config.json'), '{}');
    await symlink(join(folder, '.weighhouse', 'config.json'), config);
    expect(await verify()).toMatchObject({ ok: false, evidence: { changed: ['config.json'] } });
  });

  test('of a registry that is not pinned is refused', async () => {
    const stranger = verifyFolder({ host: nodeHost, pins: new MemoryPins(), pool }, folder);
    await expect(stranger).rejects.toThrowWithCode('untrusted');
  });

  test('into which nothing was pulled is not found', async () => {
    await rm(join(folder, '.weighhouse'), { recursive: true });
    await expect(verify()).rejects.toThrowWithCode('not-found');
  });
});

describe('the documents that were left', () => {
  test('one changed byte in any of them is refused', async () => {
    const names = await readdir(join(folder, '.weighhouse'), { recursive: true });
    const documents = ['model.sig', ...names.map((name) => `.weighhouse/${name}`)].filter(
      // The pins hold the root; who pulled what and when is signed by nobody.
      (name) => !/root\.1\.json$|release\.json$|chunks$/.test(name),
    );
    expect(documents).toHaveLength(7);
    for (const name of documents) {
      for (const place of [0.05, 0.5, 0.95]) {
        const before = await readFile(join(folder, name));
        await flip(name, place);
        const outcome = await verify().catch((error: Error) => error);
        const refused = outcome instanceof Error || !outcome.ok;
        expect([name, place, refused]).toEqual([name, place, true]);
        await writeFile(join(folder, name), before);
      }
    }
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('none of them may be missing', async () => {
    await rm(join(folder, '.weighhouse', 'entry'));
    await expect(verify()).rejects.toThrowWithCode('digest-mismatch');
  });

  test('of another release do not fit', async () => {
    served.publish('acme/tiny@v2', { 'config.json': utf8('{}') });
    const { entry, releaseProof } = served.made.documents('acme/tiny@v2');
    await writeFile(join(folder, '.weighhouse', 'entry'), entry);
    await writeFile(join(folder, '.weighhouse', 'release.tlog-proof'), releaseProof);
    expect(await verify()).toMatchObject({ ok: false, code: 'digest-mismatch' });
  });
});
