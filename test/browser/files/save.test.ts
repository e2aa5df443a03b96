import { beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_CHUNK_IN_MEMORY, save, type Writing } from '../../../src/browser/files/save.ts';
import { type FileHandle, type Folder, saveAll } from '../../../src/browser/files/save-all.ts';
import { hashHere, releaseOf } from '../../made/release-files.ts';

const CONTENTS = { 'config.json': '{}', 'onnx/model.bin': '0123456789' };
const RELEASE = releaseOf(CONTENTS);
const MODEL = RELEASE.find('onnx/model.bin')!;

let folder: MadeFolder;
/** Ranges that were asked for. */
let asked: string[];
/** Spoils an answer. */
let spoil: (body: string, range: string) => Response | undefined;

beforeEach(() => {
  folder = new MadeFolder();
  asked = [];
  spoil = () => undefined;
});

const registry: typeof fetch = async (input, init) => {
  const path = new URL(String(input)).pathname.slice(1);
  const range = new Headers(init?.headers).get('range')!;
  asked.push(`${path} ${range}`);
  const [first, last] = range.slice('bytes='.length).split('-').map(Number) as [number, number];
  const body = CONTENTS[path as keyof typeof CONTENTS].slice(first, last + 1);
  return spoil(body, range) ?? new Response(body, { status: 206 });
};

const saving = { release: RELEASE, hash: hashHere, fetch: registry };

/** What a page may write into; files are there only once they are closed. */
class MadeFolder implements Folder {
  readonly files = new Map<string, string>();
  readonly folders = new Map<string, MadeFolder>();

  async getDirectoryHandle(name: string): Promise<Folder> {
    const inner = this.folders.get(name) ?? new MadeFolder();
    this.folders.set(name, inner);
    return inner;
  }

  async getFileHandle(name: string, options?: { create: boolean }): Promise<FileHandle> {
    if (!this.files.has(name) && options?.create !== true) throw new Error('NotFoundError');
    if (!this.files.has(name)) this.files.set(name, '');
    return {
      getFile: async () => new Blob([this.files.get(name)!]),
      createWritable: async () => new MadeWriting((text) => this.files.set(name, text)),
    };
  }

  async removeEntry(name: string): Promise<void> {
    this.files.delete(name);
  }
}

class MadeWriting implements Writing {
  text = '';
  readonly #keep: (text: string) => void;

  constructor(keep: (text: string) => void) {
    this.#keep = keep;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.text += new TextDecoder().decode(bytes);
  }

  async close(): Promise<void> {
    this.#keep(this.text);
  }

  async abort(): Promise<void> {}
}

describe('a release', () => {
  test('is saved chunk by chunk, each where it belongs', async () => {
    let bytes = 0;
    const onSaved = (saved: number) => {
      bytes += saved;
    };
    await saveAll({ ...saving, onSaved }, folder);
    expect(folder.files.get('config.json')).toBe('{}');
    expect(folder.folders.get('onnx')!.files.get('model.bin')).toBe('0123456789');
    expect(asked.slice(1).map((each) => each.split('=')[1])).toEqual(['0-3', '4-7', '8-9']);
    expect(bytes).toBe(12);
  });

  test('is not fetched where it lies already, and nothing else is overwritten', async () => {
    folder.files.set('config.json', '{}');
    await saveAll(saving, folder);
    expect(asked.some((each) => each.startsWith('config.json'))).toBe(false);
    folder.files.set('config.json', '[]');
    await expect(saveAll(saving, folder)).rejects.toThrowWithCode('conflict');
    expect(folder.files.get('config.json')).toBe('[]');
  });
});

describe('nothing of a file is kept', () => {
  test.each<[what: string, spoil: typeof spoil, code: string]>([
    [
      'when a chunk has another byte',
      (_, range) => (range.includes('4-') ? part('45x7') : undefined),
      'digest-mismatch',
    ],
    ['when an answer is too short', (body) => part(body.slice(1)), 'network'],
    ['when an answer is too long', (body) => part(`${body}!`), 'too-large'],
    ['when the server refuses', () => new Response('no', { status: 500 }), 'network'],
    [
      'when the server sends the whole for a part',
      (body, range) => (range.includes('4-') ? new Response(body) : undefined),
      'network',
    ],
  ])('%s', async (_, spoiling, code) => {
    spoil = spoiling;
    const failed = saveAll({ ...saving, release: { ...RELEASE, files: [MODEL] } }, folder);
    await expect(failed).rejects.toMatchObject({ code });
    expect(folder.folders.get('onnx')!.files.size).toBe(0);
  });

  test('when the reader stops it', async () => {
    const stop = new AbortController();
    const signal = stop.signal;
    const failed = saveAll({ ...saving, onSaved: () => stop.abort(), signal }, folder);
    await expect(failed).rejects.toThrow();
    expect(folder.folders.size === 0 || folder.folders.get('onnx')!.files.size === 0).toBe(true);
  });

  test('and nothing is written that was not checked', async () => {
    spoil = (_, range) => (range.includes('4-') ? part('45x7') : undefined);
    const writing = new MadeWriting(() => {});
    await expect(save(saving, MODEL, writing)).rejects.toThrowWithCode('digest-mismatch');
    expect(writing.text).toBe('0123');
  });

  test('of chunks that are too large for a page, and the command line is named', async () => {
    const chunksOf = async () => ({
      ...(await RELEASE.chunksOf(MODEL)),
      chunkSize: MAX_CHUNK_IN_MEMORY * 2,
    });
    const failed = save(
      { ...saving, release: { ...RELEASE, chunksOf } },
      MODEL,
      new MadeWriting(() => {}),
    );
    await expect(failed).rejects.toThrow('weighhouse pull acme/tiny@v1');
  });
});

function part(body: string): Response {
  return new Response(body, { status: 206 });
}
