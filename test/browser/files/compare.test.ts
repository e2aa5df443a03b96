import { describe, expect, test } from '@jest/globals';
import { bytesToHash, compare } from '../../../src/browser/files/compare.ts';
import type { ReleaseFiles } from '../../../src/browser/files/release-files.ts';
import { CodedError } from '../../../src/core/error.ts';
import { hashHere, releaseOf } from '../../made/release-files.ts';

const RELEASE = releaseOf({
  'a/config.json': 'aaaa',
  'b/config.json': 'bbbb',
  'café.txt': 'coffee',
  'empty.txt': '',
  'model.bin': '0123456789',
});

/** What is found of these files: `path: state`, and more where there is more to say. */
async function found(
  files: Readonly<Record<string, string>>,
  { inFolder = false, release = RELEASE }: { inFolder?: boolean; release?: ReleaseFiles } = {},
): Promise<string[]> {
  const chosen = Object.entries(files).map(([path, text]) => ({ path, content: new Blob([text]) }));
  const outcomes = await compare({ release, chosen, inFolder, hash: hashHere });
  return outcomes.map((outcome) => {
    const { path, state } = outcome;
    if (state === 'matches' && outcome.file.path !== path)
      return `${path}: is ${outcome.file.path}`;
    if (state === 'differs')
      return `${path}: differs ${outcome.chunk} ${outcome.offset}+${outcome.length}`;
    if (state === 'wrong-size') return `${path}: ${outcome.size}, not ${outcome.file.size}`;
    return state === 'unread' ? `${path}: ${outcome.message}` : `${path}: ${state}`;
  });
}

describe('single files', () => {
  test('match by name, wherever in the release they lie', async () => {
    expect(await found({ 'model.bin': '0123456789', 'empty.txt': '' })).toEqual([
      'model.bin: matches',
      'empty.txt: matches',
    ]);
    expect(await found({ 'config.json': 'bbbb' })).toEqual(['config.json: is b/config.json']);
  });

  test('match whatever a browser has renamed them to', async () => {
    expect(await found({ 'model (1).bin': '0123456789' })).toEqual(['model (1).bin: is model.bin']);
  });

  test('match though their name is written in another Unicode form', async () => {
    expect(await found({ 'cafe\u0301.txt': 'coffee' })).toEqual(['cafe\u0301.txt: is café.txt']);
  });

  test('differ in the first chunk that does, and say where it lies', async () => {
    expect(await found({ 'model.bin': '0123x567y9' })).toEqual(['model.bin: differs 1 4+4']);
    expect(await found({ 'model.bin': '01234567x9' })).toEqual(['model.bin: differs 2 8+2']);
    expect(await found({ 'config.json': 'cccc' })).toEqual(['config.json: differs 0 0+4']);
  });

  test('of another size are told so, and are not hashed', async () => {
    expect(await found({ 'model.bin': '012345678' })).toEqual(['model.bin: 9, not 10']);
    const chosen = [{ path: 'model.bin', content: new Blob(['012']) }];
    expect(bytesToHash({ release: RELEASE, chosen, inFolder: false })).toBe(0);
  });

  test('that are strangers are no part of the release, though one has their size', async () => {
    expect(await found({ 'x.txt': 'short!!', 'y.txt': 'xxxxxxxxxx' })).toEqual([
      'x.txt: extra',
      'y.txt: extra',
    ]);
  });
});

describe('a folder', () => {
  const WHOLE = {
    'a/config.json': 'aaaa',
    'b/config.json': 'bbbb',
    'café.txt': 'coffee',
    'empty.txt': '',
    'model.bin': '0123456789',
  };

  test('that is whole matches, with what pull leaves beside it', async () => {
    const beside = {
      'model.sig': '{}',
      '.weighhouse/release.json': '{}',
      '.cache/huggingface/x': '',
    };
    const outcomes = await found({ ...WHOLE, ...beside }, { inFolder: true });
    expect(outcomes.toSorted()).toEqual(
      Object.keys(WHOLE)
        .map((path) => `${path}: matches`)
        .toSorted(),
    );
  });

  test('tells what is missing, too many, and in the wrong place', async () => {
    const { 'a/config.json': moved, 'model.bin': _, ...rest } = WHOLE;
    expect(
      await found({ ...rest, 'c/config.json': moved, 'x.py': 'x' }, { inFolder: true }),
    ).toEqual([
      'b/config.json: matches',
      'café.txt: matches',
      'empty.txt: matches',
      'c/config.json: extra',
      'x.py: extra',
      'a/config.json: missing',
      'model.bin: missing',
    ]);
  });
});

test('what cannot be compared is no match', async () => {
  const release: ReleaseFiles = {
    ...RELEASE,
    chunksOf: async () => {
      throw new CodedError('digest-mismatch', 'the list is another');
    },
  };
  expect(await found({ 'model.bin': '0123456789' }, { release })).toEqual([
    'model.bin: the list is another',
  ]);
});

test('a comparison that is stopped says nothing', async () => {
  const stop = new AbortController();
  const chosen = [{ path: 'model.bin', content: new Blob(['0123456789']) }];
  const hash = async () => {
    stop.abort(new CodedError('interrupted', 'stopped'));
    throw new CodedError('interrupted', 'stopped');
  };
  const { signal } = stop;
  await expect(
    compare({ release: RELEASE, chosen, inFolder: false, hash, signal }),
  ).rejects.toThrowWithCode('interrupted');
});

test('progress counts every byte that is hashed', async () => {
  let hashed = 0;
  const chosen = [{ path: 'model.bin', content: new Blob(['0123456789']) }];
  const onHashed = (bytes: number) => {
    hashed += bytes;
  };
  await compare({ release: RELEASE, chosen, inFolder: false, hash: hashHere, onHashed });
  expect(hashed).toBe(bytesToHash({ release: RELEASE, chosen, inFolder: false }));
});
