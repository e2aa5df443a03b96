/** The hub's routes, as clients of any language and age use them. Real ones run in test/peers. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { keys } from '../../src/store/keys.ts';
import type { Loose } from '../made/loose.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { Served } from '../made/served.ts';

const README = '---\nlicense: mit\npipeline_tag: text-generation\ntags: [tiny]\n---\nHello.\n';
const TEXT = 'It was a bright cold day in April.\n';
const FILES = {
  'README.md': README,
  'config.json': '{"architectures":["TinyModel"],"model_type":"tiny"}',
  'model.safetensors': makeSafetensors({
    a: { dtype: 'F32', shape: [3, 5] },
    b: { dtype: 'BF16', shape: [7] },
  }),
  'onnx/deep/model.txt': TEXT,
  'onnx/note.txt': 'noted',
};
const PATHS = [
  'README.md',
  'config.json',
  'model.safetensors',
  'model.sig',
  'onnx/deep/model.txt',
  'onnx/note.txt',
];

let served: Served;
let revisions: string[];

beforeAll(async () => {
  served = await Served.start();
  revisions = [];
  for (const version of ['v1', 'v2']) {
    const { digest } = await served.publish(`acme/tiny@${version}`, {
      ...FILES,
      [version]: version,
    });
    revisions.push(digest.slice(7, 47));
  }
}, 30_000);
afterAll(() => served.stop());

async function json(path: string, options = {}): Promise<Loose> {
  const response = await served.fetch(path, options);
  expect(response.headers.get('content-type')).toContain('application/json');
  return response.json();
}

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a model', () => {
  test('is described by its newest release, with its card and its parameters', async () => {
    const info = await json('/api/models/Acme/Tiny');
    expect(info).toMatchObject({
      id: 'acme/tiny',
      modelId: 'acme/tiny',
      author: 'acme',
      sha: revisions[1],
      private: false,
      gated: false,
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      cardData: { license: 'mit', tags: ['tiny'] },
      config: { architectures: ['TinyModel'], model_type: 'tiny' },
      safetensors: { parameters: { F32: 15, BF16: 7 }, total: 22 },
      tags: ['safetensors', 'transformers', 'tiny', 'license:mit'],
    });
    expect(info._id).toMatch(/^[0-9a-f]{24}$/);
    const names = info.siblings.map(({ rfilename }: { rfilename: string }) => rfilename);
    expect(names).toEqual([...PATHS, 'v2']);
    expect(info.siblings[0]).toEqual({ rfilename: 'README.md' });
  });

  test('shows sizes and digests with blobs, and only what is asked for with expand', async () => {
    const { siblings } = await json('/api/models/acme/tiny/revision/v1?blobs=true');
    const size = README.length;
    expect(siblings[0]).toEqual({
      rfilename: 'README.md',
      size,
      blobId: expect.stringMatching(/^[0-9a-f]{40}$/),
      lfs: { sha256: sha256(README), size, pointerSize: expect.any(Number) },
    });
    const some = await json(
      '/api/models/acme/tiny/revision/HEAD?expand=sha&expand=gated&expand=nothing',
    );
    expect(Object.keys(some).sort()).toEqual(['_id', 'gated', 'id', 'modelId', 'sha']);
    const status = await json('/api/models/acme/tiny?securityStatus=true');
    expect(status.securityRepoStatus).toEqual({ scansDone: true, filesWithIssues: [] });
  });

  test.each(['main', 'HEAD', 'v2', 'V2', 'refs%2Ftags%2Fv2', 'refs%2Fheads%2Fmain'])(
    'is found at %s',
    async (revision) => {
      const response = await served.fetch(`/api/models/acme/tiny/revision/${revision}`);
      expect(await response.json()).toMatchObject({ sha: revisions[1] });
      expect(response.headers.get('x-repo-commit')).toBe(revisions[1]);
    },
  );

  test('has a branch, a tag for each release, and a commit for each', async () => {
    expect(await json('/api/models/acme/tiny/refs')).toEqual({
      branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: revisions[1] }],
      tags: [
        { name: 'v2', ref: 'refs/tags/v2', targetCommit: revisions[1] },
        { name: 'v1', ref: 'refs/tags/v1', targetCommit: revisions[0] },
      ],
      converts: [],
      pullRequests: [],
    });
    const commits = await json('/api/models/acme/tiny/commits/main');
    expect(commits.map(({ id }: { id: string }) => id)).toEqual(revisions.toReversed());
    expect(await json('/api/models/acme/tiny/commits/v1')).toHaveLength(1);
    const second = await json('/api/models/acme/tiny/commits/main?p=1&limit=1');
    expect(second).toMatchObject([{ id: revisions[0], title: 'acme/tiny@v1' }]);
  });
});

describe('the tree', () => {
  const items = (list: { path: string; type: string }[]) =>
    list.map(({ path, type }) => (type === 'file' ? path : `${path}/`));

  test('lists a folder, or all below it', async () => {
    const base = '/api/models/acme/tiny/tree/v1';
    const top = [...PATHS.slice(0, 4), 'onnx/', 'v1'];
    expect(items(await json(base))).toEqual(top);
    expect(items(await json(`${base}/onnx`))).toEqual(['onnx/deep/', 'onnx/note.txt']);
    expect(items(await json(`${base}/onnx%2Fdeep`))).toEqual(['onnx/deep/model.txt']);
    expect(items(await json(`${base}/onnx/deep?recursive=True`))).toEqual(['onnx/deep/model.txt']);
    expect(items(await json(`${base}?recursive=1`))).toEqual([
      ...PATHS.slice(0, 4),
      'onnx/',
      'onnx/deep/',
      ...PATHS.slice(4),
      'v1',
    ]);
  });

  test('names each file by the digest that its download has', async () => {
    const [, , , , folder, file] = await json(
      '/api/models/acme/tiny/tree/v1?recursive=true&expand=true',
    );
    expect(folder).toMatchObject({ type: 'directory', path: 'onnx', size: 0 });
    expect(file.path).toBe('onnx/deep');
    const all = await json('/api/models/acme/tiny/tree/v1?recursive=true');
    for (const item of all.filter(({ type }: { type: string }) => type === 'file')) {
      const response = await served.fetch(`/acme/tiny/resolve/v1/${item.path}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(item.lfs).toMatchObject({ oid: sha256(bytes), size: bytes.length });
      expect(item.size).toBe(bytes.length);
    }
    expect(file.lastCommit).toMatchObject({ id: revisions[0], title: 'acme/tiny@v1' });
  });

  test('is an object of Git LFS for each file, by the pointer that Git would keep', async () => {
    const [readme] = await json('/api/models/acme/tiny/tree/v1');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(README)}\nsize ${README.length}\n`;
    const oid = createHash('sha1').update(`blob ${pointer.length}\0${pointer}`).digest('hex');
    expect(readme).toMatchObject({ oid, lfs: { pointerSize: pointer.length } });
  });

  test('comes in pages, each with an absolute link to the next', async () => {
    const seen: string[] = [];
    let next: string | undefined =
      `${served.url}/api/models/acme/tiny/tree/v1?recursive=true&limit=3`;
    while (next !== undefined) {
      const response: Response = await fetch(next);
      const page = (await response.json()) as { path: string }[];
      expect(page.length).toBeLessThanOrEqual(3);
      seen.push(...page.map(({ path }) => path));
      next = /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toHaveLength(PATHS.length + 3);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test.each([
    [
      'a form',
      {
        body: new TextEncoder().encode('paths=onnx&paths=README.md&paths=none&expand=True'),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
    ],
    ['JSON', { json: { paths: ['onnx/', 'README.md', 'none'], expand: true } }],
  ])('answers about single paths, asked for in %s', async (_, body) => {
    const found = await json('/api/models/acme/tiny/paths-info/v1', { method: 'POST', ...body });
    expect(items(found)).toEqual(['README.md', 'onnx/']);
    expect(found[0].lastCommit.id).toBe(revisions[0]);
  });
});

describe('a file', () => {
  const at = (rev: string, path = 'onnx/deep/model.txt') => `/acme/tiny/resolve/${rev}/${path}`;

  test('says its commit, digest and size to HEAD and GET, and is never redirected for HEAD', async () => {
    for (const method of ['HEAD', 'GET']) {
      const response = await served.fetch(at('main'), { method });
      expect(response.status).toBe(200);
      const { headers } = response;
      expect(headers.get('x-repo-commit')).toBe(revisions[1]);
      expect(headers.get('etag')).toBe(`"${sha256(TEXT)}"`);
      expect(headers.get('x-linked-etag')).toBe(`"${sha256(TEXT)}"`);
      expect(headers.get('x-linked-size')).toBe(String(TEXT.length));
      expect(headers.get('content-length')).toBe(String(TEXT.length));
      expect(headers.get('accept-ranges')).toBe('bytes');
      expect(headers.get('access-control-expose-headers')).toContain('X-Repo-Commit');
      expect(await response.text()).toBe(method === 'HEAD' ? '' : TEXT);
    }
  });

  test('comes in ranges', async () => {
    const range = async (value: string) => served.fetch(at('v1'), { headers: { range: value } });
    const first = await range('bytes=0-0');
    expect([first.status, first.headers.get('content-range')]).toEqual([
      206,
      `bytes 0-0/${TEXT.length}`,
    ]);
    expect(await first.text()).toBe(TEXT[0]);
    const beyond = await range(`bytes=${TEXT.length}-`);
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([
      416,
      `bytes */${TEXT.length}`,
    ]);
  });

  test('may be kept for ever under its commit, and never under a branch', async () => {
    const kept = async (rev: string) => (await served.fetch(at(rev))).headers.get('cache-control');
    expect(await kept(revisions[0]!)).toContain('immutable');
    expect(await kept('main')).toBe('public, max-age=0, must-revalidate');
    expect(await kept('v1')).toBe('public, max-age=0, must-revalidate');
  });

  test('model.sig has the same bytes for ever, however the log grows', async () => {
    const read = async (path: string) => (await served.fetch(path)).text();
    const before = await read(at('v1', 'model.sig'));
    await served.publish('acme/other@1', { 'README.md': 'x' });
    expect(await read(at('v1', 'model.sig'))).toBe(before);
    expect(await read('/api/v1/releases/acme/tiny/v1/model.sig')).toBe(before);
  });

  test('model.sig that a repair has put another good one in the place of is served as that', async () => {
    const before = await (await served.fetch(at('v2', 'model.sig'))).text();
    await served.publish('acme/other@2', { 'README.md': 'x' });
    await served.store.delete(keys.signature(parseReleaseName('acme/tiny@v2')));
    const response = await served.fetch(at('v2', 'model.sig'));
    const after = await response.text();
    expect(after).not.toBe(before);
    const digest = createHash('sha256').update(after).digest('hex');
    expect(response.headers.get('x-linked-etag')).toBe(`"${digest}"`);
  });
});

describe('what is not there', () => {
  test.each([
    ['/api/models/acme/none', 'RepoNotFound'],
    ['/api/models/acme/-none', 'RepoNotFound'],
    ['/acme/none/resolve/main/README.md', 'RepoNotFound'],
    ['/api/models/acme/tiny/revision/v9', 'RevisionNotFound'],
    [`/api/models/acme/tiny/revision/${'0'.repeat(40)}`, 'RevisionNotFound'],
    ['/acme/tiny/resolve/refs%2Fpr%2F1/README.md', 'RevisionNotFound'],
    ['/acme/tiny/resolve/main/none', 'EntryNotFound'],
    ['/acme/tiny/resolve/main/..%2F..%2Fetc%2Fpasswd', 'EntryNotFound'],
    ['/api/models/acme/tiny/tree/main/none', 'EntryNotFound'],
  ])('%s is %s', async (path, code) => {
    const response = await served.fetch(path);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-error-code')).toBe(code);
    const { error } = (await response.json()) as { error: string };
    expect(response.headers.get('x-error-message')).toBe(error);
  });

  test('a missing file names the commit, so that its absence may be remembered', async () => {
    const { headers } = await served.fetch('/acme/tiny/resolve/main/none');
    expect(headers.get('x-repo-commit')).toBe(revisions[1]);
  });

  test('a draft is as absent as what never was', async () => {
    await served.push('acme/secret@1', { 'README.md': 'secret' });
    const answer = async (id: string) => {
      const response = await served.fetch(`/api/models/${id}`);
      return [response.status, (await response.text()).replaceAll(id, 'ID')];
    };
    expect(await answer('acme/secret')).toEqual(await answer('acme/never'));
  });
});

describe('the list', () => {
  test('has each model once, finds by words and by author, and comes in pages', async () => {
    const ids = async (query: string) =>
      (await json(`/api/models?${query}`)).map(({ id }: { id: string }) => id);
    expect(await ids('search=tiny')).toEqual(['acme/tiny']);
    expect(await ids('author=acme&search=other')).toEqual(['acme/other']);
    expect(await ids('author=nobody')).toEqual([]);
    const response = await served.fetch('/api/models?limit=1');
    expect(await response.json()).toMatchObject([{ id: 'acme/other' }]);
    const next = /^<(.*)>; rel="next"$/.exec(response.headers.get('link')!)![1]!;
    expect(await (await fetch(next)).json()).toMatchObject([
      { id: 'acme/tiny', sha: revisions[1] },
    ]);
  });

  test('refuses a limit that is no number', async () => {
    expect((await served.fetch('/api/models?limit=many')).status).toBe(400);
  });
});

describe('tokens, other origins and uploads', () => {
  test('whoami answers the subject of a token, and nobody without one', async () => {
    const { token } = await served.token({ roles: ['reader'], subject: 'alice' });
    expect(await json('/api/whoami-v2', { token })).toMatchObject({ type: 'user', name: 'alice' });
    expect((await served.fetch('/api/whoami-v2')).status).toBe(401);
  });

  test('a script of another origin may ask with a token and a range', async () => {
    const response = await served.fetch('/acme/tiny/resolve/main/README.md', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization,range',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization,range');
  });

  test.each([
    '/api/repos/create',
    '/api/models/acme/tiny/preupload/main',
    '/api/models/acme/tiny/commit/main',
  ])('an upload to %s is told how releases are made', async (path) => {
    const response = await served.fetch(path, { method: 'POST', json: {} });
    expect(response.status).toBe(403);
    expect(response.headers.get('x-error-message')).toContain('weighhouse push DIR REF');
  });
});

test('main is the newest release that is not recalled', async () => {
  const { digest } = await served.publish('acme/regretted@2', { 'README.md': '2' });
  const older = await served.publish('acme/regretted@1.1', { 'README.md': '1.1' });
  const sha = async () => (await served.fetch('/api/models/acme/regretted')).json();
  expect(await sha()).toMatchObject({ sha: older.digest.slice(7, 47) });
  const recall = (release: string, recalled: Digest) =>
    served.advise(release, recalled, 'recalled', 'Leaks its training data.');
  await recall('acme/regretted@1.1', older.digest);
  expect(await sha()).toMatchObject({ sha: digest.slice(7, 47) });
  const exact = await served.fetch('/api/models/acme/regretted/revision/1.1');
  expect(await exact.json()).toMatchObject({ sha: older.digest.slice(7, 47) });
  await recall('acme/regretted@2', digest);
  const none = await served.fetch('/api/models/acme/regretted');
  expect([none.status, none.headers.get('x-error-code')]).toEqual([404, 'RevisionNotFound']);
});
