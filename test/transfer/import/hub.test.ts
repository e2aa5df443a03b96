/** What an import believes of a Hugging Face hub: nothing that is not held against a digest. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Pauses } from '../../../src/client/retry.ts';
import { MAX_ATTEMPTS } from '../../../src/client/retry.ts';
import { MAX_FILES } from '../../../src/core/release/manifest.ts';
import { MAX_WRONG, partialNameOf } from '../../../src/transfer/import/fetch-file.ts';
import { MAX_TREE_PAGES } from '../../../src/transfer/import/hub.ts';
import { openSource, type SourceOptions } from '../../../src/transfer/import/open-source.ts';
import { MAX_REDIRECTS } from '../../../src/transfer/import/remote.ts';
import { stage } from '../../../src/transfer/import/stage.ts';
import { COMMIT, fillHub, MODEL, treeEntry } from '../../made/hub.ts';
import { noise } from '../../made/noise.ts';
import { breakOff, Stranger, sendFrom } from '../../made/stranger.ts';

const WEIGHTS = noise(1, 300_000);
const text = (content: string) => new TextEncoder().encode(content);
const FILES = {
  'README.md': text('# Tiny\n'),
  'onnx/a b#c.json': text('{}'),
  'model.safetensors': WEIGHTS,
  empty: new Uint8Array(0),
};
const TREE = `/api/models/${MODEL}/tree/${COMMIT}`;
const RESOLVE = `/${MODEL}/resolve/${COMMIT}`;
const atOnce: Pauses = { sleep: async () => {}, random: () => 0 };

let hub: Stranger;
let away: Stranger;
let folder: string;

beforeEach(async () => {
  [hub, away] = [await Stranger.start(), await Stranger.start()];
  fillHub(hub, FILES, { away });
  folder = join(await mkdtemp(join(tmpdir(), 'weighhouse-import-')), 'staged');
});
afterEach(async () => {
  await Promise.all([hub.stop(), away.stop()]);
  await rm(join(folder, '..'), { recursive: true, force: true });
});

function open(options: Partial<SourceOptions> = {}, revision = 'main') {
  const address = { kind: 'hub', id: MODEL, revision } as const;
  return openSource(address, { endpoint: hub.url, pauses: atOnce, ...options });
}

async function fetchAll(options: Partial<SourceOptions> = {}): Promise<void> {
  await stage(await open(options), folder);
}

const staged = (path: string) =>
  readFile(join(folder, path)).then((bytes) => new Uint8Array(bytes));

describe('an import from a hub', () => {
  test('pins the commit, and reads everything there', async () => {
    fillHub(hub, FILES, { away, page: 2 });
    const snapshot = await open();
    expect(snapshot.source).toEqual({ url: `${hub.url}/${MODEL}`, revision: COMMIT });
    expect(snapshot.files.map(({ path }) => path)).toEqual(Object.keys(FILES).sort());
    expect(hub.paths).toEqual([`/api/models/${MODEL}/revision/main`, ...Array(3).fill(TREE)]);
    await stage(snapshot, folder);
    for (const [path, bytes] of Object.entries(FILES)) expect(await staged(path)).toEqual(bytes);
  });

  test('encodes a revision as one segment', async () => {
    hub.json(`/api/models/${MODEL}/revision/refs%2Fpr%2F1`, { sha: COMMIT });
    expect((await open({}, 'refs/pr/1')).source.revision).toBe(COMMIT);
  });

  test('done again fetches nothing', async () => {
    await fetchAll();
    const before = [hub.asked.length, away.asked.length];
    await stage(await open(), folder);
    expect([hub.asked.length - before[0]!, away.asked.length]).toEqual([2, before[1]]);
  });

  test('fetches anew what was changed meanwhile', async () => {
    await fetchAll();
    await writeFile(join(folder, 'README.md'), '# Evil\n');
    await fetchAll();
    expect(await staged('README.md')).toEqual(FILES['README.md']);
  });

  test('leaves out what is no part of a model, and what was not selected', async () => {
    const more = { ...FILES, '.gitattributes': text('x'), '.cache/huggingface/x': text('x') };
    fillHub(hub, more, { away });
    const { files, leftOut, deselected } = await open({ exclude: ['onnx', 'empty'] });
    expect(files.map(({ path }) => path)).toEqual(['README.md', 'model.safetensors']);
    expect({ leftOut, deselected }).toEqual({
      leftOut: ['.cache/huggingface/x', '.gitattributes'],
      deselected: 2,
    });
    await expect(open({ include: ['*.gguf'] })).rejects.toThrowWithCode('usage');
  });
});

describe('a broken import', () => {
  const cas = () => [...away.answers.keys()][0]!;

  test('goes on where it stopped, with what is there hashed again', async () => {
    const whole = away.answers.get(cas())!;
    away.answers.set(cas(), (_, response) => {
      away.answers.set(cas(), (_, second) => void second.writeHead(403).end());
      breakOff(response, WEIGHTS, 100_000);
    });
    await expect(fetchAll()).rejects.toThrowWithCode('not-authorised');
    away.answers.set(cas(), whole);
    away.asked.length = 0;
    await fetchAll();
    expect(away.asked.map(({ range }) => range)).toStrictEqual(['bytes=100000-']);
    expect(await staged('model.safetensors')).toEqual(WEIGHTS);
  });

  test('goes on by itself as long as anything comes', async () => {
    let times = 0;
    away.answers.set(cas(), (request, response) => {
      times++;
      const from = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
      const length = WEIGHTS.length - from;
      const range = `bytes ${from}-${WEIGHTS.length - 1}/${WEIGHTS.length}`;
      const headers = { 'content-length': length, 'content-range': range };
      response.writeHead(from === 0 ? 200 : 206, headers);
      response.write(WEIGHTS.subarray(from, from + 30_000), () => response.destroy());
    });
    await fetchAll();
    expect(times).toBeGreaterThan(MAX_ATTEMPTS);
    expect(await staged('model.safetensors')).toEqual(WEIGHTS);
  });

  test('ends when nothing comes at all', async () => {
    let times = 0;
    away.answers.set(cas(), (_, response) => {
      times++;
      response.destroy();
    });
    await expect(fetchAll()).rejects.toThrowWithCode('network');
    expect(times).toBe(MAX_ATTEMPTS);
  });

  test('ends when the host never says how long it is and always stops too early', async () => {
    let times = 0;
    hub.answers.set('/api/resolve-cache/README.md', (_, response) => {
      if (times++ > 2 * MAX_ATTEMPTS) response.destroy();
      response.write(FILES['README.md'].subarray(0, 3));
      response.end();
    });
    await expect(fetchAll()).rejects.toThrowWithCode('network');
    expect(times).toBe(MAX_ATTEMPTS);
  });

  test('begins anew where the host knows no ranges', async () => {
    away.answers.set(cas(), (_, response) => {
      away.answers.set(cas(), (_, second) => void second.end(WEIGHTS));
      breakOff(response, WEIGHTS, 1_000);
    });
    await fetchAll();
    expect(await staged('model.safetensors')).toEqual(WEIGHTS);
  });

  test('begins anew when what was there is damaged', async () => {
    const snapshot = await open();
    let sent = 0;
    away.answers.set(cas(), (request, response) => {
      // The first bytes come wrong, and the connection ends behind them.
      if (sent++ === 0)
        breakOff(
          response,
          WEIGHTS.map((byte) => byte ^ 1),
          5_000,
        );
      else sendFrom(request, response, WEIGHTS);
    });
    await stage(snapshot, folder);
    expect(away.asked.map(({ range }) => range)).toStrictEqual([
      undefined,
      'bytes=5000-',
      undefined,
    ]);
    expect(await staged('model.safetensors')).toEqual(WEIGHTS);
  });

  test('begins anew when more is there than the file has', async () => {
    const snapshot = await open();
    const file = snapshot.files.find(({ path }) => path === 'model.safetensors')!;
    const partial = join(folder, partialNameOf(file));
    await mkdir(dirname(partial), { recursive: true });
    await writeFile(partial, noise(3, WEIGHTS.length + 1));
    await stage(snapshot, folder);
    expect(away.asked.map(({ range }) => range)).toStrictEqual([undefined]);
    expect(await staged('model.safetensors')).toEqual(WEIGHTS);
  });

  test.each([
    ['bytes 0-299999/300000'],
    ['bytes 1000-299999/300001'],
    ['bytes 1000-299998/300000'],
    [undefined],
  ])('does not go on with the range %s', async (range) => {
    away.answers.set(cas(), (_, response) => {
      away.answers.set(cas(), (_, second) => {
        second.writeHead(206, range === undefined ? {} : { 'content-range': range });
        second.end(WEIGHTS.subarray(1_000));
      });
      breakOff(response, WEIGHTS, 1_000);
    });
    await expect(fetchAll()).rejects.toThrowWithCode('network');
  });

  test('is interrupted by the person, and leaves what it has', async () => {
    const stop = new AbortController();
    away.answers.set(cas(), (_, response) => {
      response.writeHead(200, { 'content-length': WEIGHTS.length });
      response.write(WEIGHTS.subarray(0, 1_000), () => stop.abort());
    });
    const snapshot = await open({ signal: stop.signal });
    await expect(stage(snapshot, folder, { signal: stop.signal })).rejects.toThrowWithCode(
      'interrupted',
    );
  });
});

describe('an import refuses', () => {
  test.each([
    ['model.safetensors', WEIGHTS.map((byte) => byte ^ 1)],
    ['README.md', text('# Evil\n')],
  ])('other bytes of %s, wherever they come from', async (path, other) => {
    const server = path === 'README.md' ? hub : away;
    const place = [...server.answers.keys()].find((key) => /\/cas\/|-cache\/README/.test(key))!;
    server.content(place, other);
    await expect(fetchAll()).rejects.toThrowWithCode('digest-mismatch');
    expect(server.paths.filter((asked) => asked === place)).toHaveLength(MAX_WRONG);
    await expect(staged(path)).rejects.toThrow('ENOENT');
  });

  test.each([
    ['more bytes than were stated', (bytes: Uint8Array) => [...bytes, 0]],
    ['fewer bytes than were stated', (bytes: Uint8Array) => [...bytes.subarray(1)]],
  ])('%s', async (_, change) => {
    hub.content('/api/resolve-cache/README.md', Uint8Array.from(change(FILES['README.md'])));
    await expect(fetchAll()).rejects.toThrowWithCode('digest-mismatch');
  });

  test('a stream that does not say its length and does not end', async () => {
    hub.answers.set('/api/resolve-cache/README.md', (_, response) => {
      const more = () => {
        if (!response.destroyed) response.write(noise(2, 1_000), more);
      };
      more();
    });
    await expect(fetchAll()).rejects.toThrowWithCode('digest-mismatch');
  });

  test.each(['../evil', '/etc/evil', 'a/../../evil', 'C:/evil', 'aux.txt', 'a\\evil', 'e\u0301'])(
    'the path %j',
    async (path) => {
      fillHub(hub, { ...FILES, [path]: text('x') }, { away });
      await expect(open()).rejects.toThrowWithCode('bad-path');
      // In a pattern a backslash quotes what follows.
      const exclude = [path.replaceAll('\\', '?')];
      expect((await open({ exclude })).deselected).toBe(1);
    },
  );

  test('two files in one place', async () => {
    fillHub(hub, { ...FILES, 'readme.MD': text('x') }, { away });
    await expect(open()).rejects.toThrowWithCode('bad-path');
    hub.json(TREE, [treeEntry('a', text('1')), treeEntry('a', text('2'))]);
    await expect(open()).rejects.toThrowWithCode('bad-path');
  });

  test('a symbolic link in the folder, and follows none', async () => {
    await mkdir(folder);
    await writeFile(join(folder, '..', 'outside'), 'untouched');
    await symlink('../outside', join(folder, 'README.md'));
    await expect(fetchAll()).rejects.toThrowWithCode('bad-path');
    await rm(join(folder, 'README.md'));
    await symlink('..', join(folder, 'onnx'));
    await expect(fetchAll()).rejects.toThrow(/onnx/);
    expect(await readFile(join(folder, '..', 'outside'), 'utf8')).toBe('untouched');
  });

  test('a folder that holds something else', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'mine.txt'), 'mine');
    await expect(fetchAll()).rejects.toThrowWithCode('conflict');
    expect(hub.paths).toHaveLength(2);
  });

  test('pages that go in a circle', async () => {
    const link = `<${hub.url}${TREE}?recursive=true>; rel="next"`;
    hub.json(TREE, [treeEntry('a', text('1'))], { link });
    await expect(open()).rejects.toThrowWithCode('bad-document');
  });

  test('pages without an end', async () => {
    let pages = 0;
    hub.answers.set(TREE, (_, response) => {
      response.writeHead(200, { link: `<?cursor=${++pages}>; rel="next"` }).end('[]');
    });
    await expect(open()).rejects.toThrowWithCode('too-large');
    expect(pages).toBe(MAX_TREE_PAGES);
  });

  test('a page at another host', async () => {
    const link = `<${away.url}${TREE}>; rel="next"`;
    hub.json(TREE, [treeEntry('a', text('1'))], { link });
    await expect(open()).rejects.toThrowWithCode('bad-document');
    expect(away.asked).toEqual([]);
  });

  test.each([
    ['no list', { error: 'x' }],
    ['a size below zero', [{ ...treeEntry('a', text('1')), size: -1 }]],
    ['a size over 2^53', [{ ...treeEntry('a', text('1')), size: 2 ** 53 }]],
    ['no size', [{ ...treeEntry('a', text('1')), size: undefined }]],
    ['two sizes', [{ ...treeEntry('a.safetensors', text('1')), size: 2 }]],
    ['a name that is no digest', [{ ...treeEntry('a', text('1')), oid: '../../etc/passwd' }]],
  ])('a tree with %s', async (_, tree) => {
    hub.json(TREE, tree);
    await expect(open()).rejects.toThrowWithCode('bad-document');
  });

  test.each([
    ['no commit', { sha: 'main' }],
    ['a path for a commit', { sha: '../../../etc' }],
    ['nothing', {}],
  ])('a model with %s', async (_, info) => {
    hub.json(`/api/models/${MODEL}/revision/main`, info);
    await expect(open()).rejects.toThrowWithCode('bad-document');
  });

  test('another commit than was asked for', async () => {
    const asked = 'aa'.repeat(20);
    hub.json(`/api/models/${MODEL}/revision/${asked}`, { sha: COMMIT });
    await expect(open({}, asked)).rejects.toThrowWithCode('digest-mismatch');
  });

  test(`more than ${MAX_FILES} files`, async () => {
    const entry = treeEntry('', text('1'));
    const entries = Array.from({ length: MAX_FILES / 2 }, (_, i) => ({ ...entry, path: `${i}` }));
    const answer = (tree: readonly unknown[], headers: Record<string, string>) => {
      const body = JSON.stringify(tree);
      return (response: ServerResponse) => void response.writeHead(200, headers).end(body);
    };
    const first = answer(entries, { link: '<?cursor=1>; rel="next"' });
    const rest = entries.map(({ path }) => ({ ...entry, path: `more-${path}` }));
    for (const [more, outcome] of [
      [[], MAX_FILES],
      [[entry], 'too-large'],
    ] as const) {
      const second = answer([...rest, ...more], {});
      hub.answers.set(TREE, (request, response) =>
        (request.url!.includes('cursor') ? second : first)(response),
      );
      const opened = open().then(
        ({ files }) => files.length,
        ({ code }) => code,
      );
      expect(await opened).toBe(outcome);
    }
  });

  test('files for which there is no room, before it asks for any', async () => {
    const lfs = { ...treeEntry('a.safetensors', WEIGHTS).lfs, size: 2 ** 52 };
    hub.json(TREE, [{ ...treeEntry('a.safetensors', WEIGHTS), size: 2 ** 52, lfs }]);
    await expect(fetchAll()).rejects.toThrowWithCode('disk-full');
    expect(hub.paths).toHaveLength(2);
  });

  test('content in an encoding that nobody asked for', async () => {
    hub.answers.set('/api/resolve-cache/README.md', (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(FILES['README.md']));
    });
    await expect(fetchAll()).rejects.toThrowWithCode('network');
  });

  test('an answer that is no JSON, or too long', async () => {
    const path = `/api/models/${MODEL}/revision/main`;
    hub.content(path, text('<html>'));
    await expect(open()).rejects.toThrowWithCode('bad-json');
    hub.answers.set(path, (_, response) => {
      const more = () => {
        if (!response.destroyed) response.write(Buffer.alloc(2 ** 20, ' '), more);
      };
      more();
    });
    await expect(open()).rejects.toThrowWithCode('too-large');
  });
});

describe('what a hub refuses', () => {
  const info = `/api/models/${MODEL}/revision/main`;

  test.each([
    [401, {}, 'not-authorised', 'gated or private'],
    [403, { 'x-error-code': 'GatedRepo' }, 'not-authorised', '--source-token-file'],
    [401, { 'x-error-code': 'RepoNotFound' }, 'not-found', 'check the name'],
    [404, {}, 'not-found', 'check the name'],
  ] as const)('with %d %j is told in a sentence', async (status, headers, code, words) => {
    hub.refuse(info, status, headers);
    await expect(open()).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(hub.asked).toHaveLength(1);
  });

  test('for now is asked for again', async () => {
    const answer = hub.answers.get(info)!;
    hub.answers.set(info, (_, response) => {
      hub.answers.set(info, answer);
      response.writeHead(429, { 'retry-after': '1' }).end();
    });
    await open();
  });
});

describe('a token', () => {
  const token = 'hf_secret';
  const sent = (server: Stranger) => new Set(server.asked.map((one) => one.token));

  test('goes to the host that was named, also by way of its own redirects', async () => {
    await fetchAll({ token });
    expect(sent(hub)).toEqual(new Set([`Bearer ${token}`]));
    expect(hub.paths).toContain('/api/resolve-cache/README.md');
    expect(away.asked.length).toBeGreaterThan(0);
    expect(sent(away)).toEqual(new Set([undefined]));
  });

  test('is not sent again to who is led back', async () => {
    hub.redirect(`${RESOLVE}/README.md`, `${away.url}/back`);
    away.redirect('/back', `${hub.url}/home`);
    hub.content('/home', FILES['README.md']);
    await fetchAll({ token });
    expect(hub.asked.find(({ path }) => path === '/home')!.token).toBeUndefined();
  });
});

describe('a redirect', () => {
  const file = `${RESOLVE}/README.md`;

  test(`is followed ${MAX_REDIRECTS} times and no oftener`, async () => {
    hub.redirect(file, '/r1');
    for (let i = 1; i < MAX_REDIRECTS; i++) hub.redirect(`/r${i}`, `/r${i + 1}`);
    hub.content(`/r${MAX_REDIRECTS}`, FILES['README.md']);
    await fetchAll();
    await rm(folder, { recursive: true });
    hub.redirect(`/r${MAX_REDIRECTS}`, '/end');
    hub.content('/end', FILES['README.md']);
    await expect(fetchAll()).rejects.toThrowWithCode('network');
  });

  test.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', '', 'http://'])(
    'to %j is not followed',
    async (location) => {
      hub.redirect(file, location);
      await expect(fetchAll()).rejects.toThrowWithCode('network');
    },
  );
});
