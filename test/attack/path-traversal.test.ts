/**
 * A file name never leads out of the folder, never means two files and never means a device:
 * at every edge where names come in, whoever sends them. (huggingface_hub CVE-2026-15717,
 * MLflow CVE-2023-1177 and its successors.)
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { concat, parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { scanFolder } from '../../src/transfer/scan.ts';
import { Target } from '../../src/transfer/target.ts';
import { declared, nonceOf, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const HOSTILE: readonly [string, string][] = [
  ['the folder above', '../evil'],
  ['the folder above, further in', 'a/../../evil'],
  ['an absolute path', '/tmp/evil'],
  ['a backslash', '..\\evil'],
  ['a drive', 'C:evil'],
  ['a share', '\\\\host\\share'],
  ['a stream', 'model.bin:evil'],
  ['NUL', 'model.bin\0.txt'],
  ['a device', 'nul'],
  ['a device with an extension', 'onnx/COM1.bin'],
  ['a dot at its end', 'model.'],
  ['a space at its end', 'model '],
  ['an empty segment', 'a//b'],
  ['another Unicode form', 'cafe\u0301.bin'],
  ['the Kelvin sign, which is a K elsewhere', '\u212a.bin'],
  ['a letter that is not shown', 'mo\u200bdel.bin'],
  ['our own folder', '.weighhouse/entry'],
  ['our own folder in capitals', '.WeighHouse/entry'],
  ['the signature', 'model.sig'],
  ['a repository', 'sub/.git/config'],
];
const TWINS: readonly [string, string, string][] = [
  ['case', 'README.md', 'readme.MD'],
  ['case in a folder', 'onnx/a.bin', 'ONNX/b.bin'],
  ['ß and ss', 'straße.bin', 'STRASSE.bin'],
  ['the long s', 'mas\u017f.bin', 'mass.bin'],
  ['a file and a folder', 'weights', 'weights/a.bin'],
];

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'weighhouse-paths-'));
  folder = join(parent, 'model');
  await mkdir(folder);
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('a folder that is pushed', () => {
  test.each(['a\\b', 'C:x', 'nul.txt', 'x.', 'x ', 'cafe\u0301', 'mo\u200bdel', 'LONGNA~1.BIN'])(
    'may not hold a file called %j',
    async (name) => {
      await writeFile(join(folder, name), 'x');
      await expect(scanFolder(folder)).rejects.toThrowWithCode('bad-path');
    },
  );

  test('may not hold a file whose name is no UTF-8', async () => {
    await writeFile(Buffer.from(concat(utf8(`${folder}/`), Uint8Array.of(0xff, 0xfe))), 'x');
    await expect(scanFolder(folder)).rejects.toThrowWithCode('bad-path');
  });

  test.each(TWINS.filter(([what]) => !what.startsWith('a file')))(
    'may not hold twins: %s',
    async (_, first, second) => {
      for (const path of [first, second]) {
        await mkdir(join(folder, path, '..'), { recursive: true });
        await writeFile(join(folder, path), 'x');
      }
      // On a file system that folds case there is but one of them.
      if ((await readdir(folder)).length < 2) return;
      await expect(scanFolder(folder)).rejects.toThrowWithCode('bad-path');
    },
  );
});

describe('the registry', () => {
  const makeWorld = useWorlds();

  async function openDraft() {
    const live = await (await makeWorld()).openWithNamespace();
    await live.registry.openDraft(PUBLISHER, RELEASE);
    return live;
  }

  test('takes no file with a hostile name, and no seal that names one', async () => {
    const { registry } = await openDraft();
    for (const [, path] of HOSTILE) {
      const file = declared(path, 'x');
      const declaring = registry.declareFile(PUBLISHER, RELEASE, file);
      await expect(declaring).rejects.toThrowWithCode('bad-path');
      const sealing = registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(1), paths: [path] });
      await expect(sealing).rejects.toThrowWithCode('bad-path');
    }
  });

  test.each(TWINS)('seals no twins: %s', async (_, first, second) => {
    const live = await openDraft();
    await live.upload(PUBLISHER, RELEASE, { [first]: 'one', [second]: 'two' });
    const status = await live.seal(PUBLISHER, RELEASE, [first, second]);
    expect(status).toMatchObject({ state: 'draft', seal: { error: { code: 'bad-path' } } });
  });
});

describe('a registry that signs and logs a hostile name', () => {
  const PLACE = 'placeholder';
  const OTHER = 'placeholder-too';
  const pool = new HashingPool({ threads: 1 });
  let served: ServedRegistry;

  beforeEach(async () => {
    served = await ServedRegistry.start();
  });
  afterEach(() => served.close());
  afterAll(() => pool.close());

  /** What a pull says of a release whose names were exchanged for these before it was signed. */
  async function pullForged(names: Readonly<Record<string, string>>): Promise<unknown> {
    served.made.forge = (document) => {
      const forged = JSON.parse(parseUtf8(document), (_, value) => names[value] ?? value);
      return utf8(JSON.stringify(forged));
    };
    const contents = Object.keys(names).map((name) => [name, utf8(`evil ${name}`)]);
    served.publish('acme/tiny@v1', Object.fromEntries(contents));
    const reader = await pinnedReader(served);
    return pull(reader, pool, parseReference('acme/tiny@v1'), folder).catch((error) => error);
  }

  test('is believed as long as the names are good', async () => {
    expect(await pullForged({ [PLACE]: PLACE })).toMatchObject({ files: 1 });
    expect(await readdir(folder)).toContain(PLACE);
  });

  test.each(HOSTILE)('is refused, and nothing is written: %s', async (_, name) => {
    expect(await pullForged({ [PLACE]: name })).toMatchObject({ code: 'bad-path' });
    expect([await readdir(parent), await readdir(folder)]).toEqual([['model'], []]);
  });

  test.each(TWINS)('is refused when two names are twins: %s', async (_, first, second) => {
    const [low, high] = [first, second].sort();
    expect(await pullForged({ [PLACE]: low!, [OTHER]: high! })).toMatchObject({ code: 'bad-path' });
    expect([await readdir(parent), await readdir(folder)]).toEqual([['model'], []]);
  });
});

test('whatever was believed before, no hostile name becomes a place on the disk', async () => {
  const target = await Target.open(folder);
  for (const [what, path] of HOSTILE) {
    // These two are where we write ourselves.
    if (/^(?:our own folder|the signature)$/.test(what)) continue;
    expect(() => target.locate(path)).toThrowWithCode('bad-path');
  }
});
