/** `import`: from another Weighhouse, by either of its protocols, from a hub, and from a directory. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Sandbox, type ServerProcess } from '../e2e/sandbox.ts';
import { COMMIT, fillHub, MODEL } from '../made/hub.ts';
import type { Loose } from '../made/loose.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { breakOff, Stranger } from '../made/stranger.ts';

const WEIGHTS = makeSafetensors({ w: { dtype: 'F32', shape: [64, 64] } });
const FILES = {
  'README.md': '# Tiny\n',
  'config.json': '{}',
  'onnx/deep/model.safetensors': WEIGHTS,
};
const PATHS = Object.keys(FILES).sort();

let theirs: Sandbox;
let elsewhere: ServerProcess;
let published: Loose;
let ours: Sandbox;

beforeAll(async () => {
  [theirs, ours] = [await Sandbox.make(), await Sandbox.make()];
  await theirs.init('their');
  elsewhere = await theirs.serve();
  published = await theirs.publish('their/tiny@v1', FILES);
  const made = await ours.init('acme');
  await ours.serve();
  await ours.trust(made);
}, 60_000);
afterAll(async () => {
  await theirs?.remove();
  await ours?.remove();
});

const oci = () => elsewhere.url.replace('http://', 'oci://');
const cached = () => readdir(ours.path('cache/weighhouse/imports')).catch(() => []);

/** Publishes the draft, and compares what is pulled of it. */
async function expectPublished(reference: string, { digest }: Loose): Promise<void> {
  await ours.json('publish', reference, '--digest', digest);
  const folder = `pulled/${reference}`;
  expect(await ours.json('pull', reference, folder)).toMatchObject({ digest });
  for (const [path, content] of Object.entries(FILES)) {
    expect(await readFile(ours.path(folder, path))).toEqual(Buffer.from(content));
  }
}

describe('an import from another Weighhouse', () => {
  test('by the hub’s API is a draft that names the commit', async () => {
    const commit = published.digest.slice('sha256:'.length).slice(0, 40);
    const source = { url: `${elsewhere.url}/their/tiny`, revision: commit };
    const reference = 'acme/from-hub@1';
    const from = ['hf://their/tiny@v1', reference, '--endpoint', elsewhere.url];
    const imported = await ours.json('import', ...from);
    expect(imported).toMatchObject({ reference, source, files: 3, leftOut: ['model.sig'] });
    expect(await cached()).toEqual([]);
    expect(await ours.json('show', reference)).toMatchObject({ state: 'sealed', source });
    expect((await ours.json('import', ...from)).digest).toBe(imported.digest);
    await expectPublished(reference, imported);
    expect(await ours.json('show', reference)).toMatchObject({ state: 'published', source });
    expect(await ours.json('audit', '--content')).toMatchObject({ ok: true, releases: 1 });
    const shown = await ours.run('show', reference);
    expect(shown.stdout).toContain(`from ${source.url} at ${commit}, as its publisher says`);
  }, 60_000);

  test('by OCI is a draft that names the manifest', async () => {
    const address = `${elsewhere.url}/v2/their/tiny/manifests/v1`;
    const revision = (await fetch(address)).headers.get('docker-content-digest')!;
    const reference = 'acme/from-oci@1';
    const from = [`${oci()}/their/tiny:v1`, reference, '--into', 'into'];
    const imported = await ours.json('import', ...from, '--exclude', 'onnx');
    const source = { url: `${oci()}/their/tiny`, revision };
    expect(imported).toMatchObject({ source, files: 2, deselected: 1 });
    expect(await ours.json('show', reference)).toMatchObject({ source });
    const kept = await readdir(ours.path('into'));
    expect(kept.sort()).toEqual(['.weighhouse', 'README.md', 'config.json']);
  }, 60_000);

  test('that was not sealed at once is sealed with its source', async () => {
    const reference = 'acme/later@1';
    const imported = await ours.json('import', `${oci()}/their/tiny:v1`, reference, '--no-seal');
    expect(imported).not.toHaveProperty('digest');
    await expectPublished(reference, await ours.json('seal', reference));
    const { source } = await ours.json('show', reference);
    expect(source).toEqual(imported.source);
    await rm(ours.path('cache'), { recursive: true });
  }, 60_000);

  test('that is only planned says what, at which commit, and takes no registry', async () => {
    const { WEIGHHOUSE_URL: url, WEIGHHOUSE_TOKEN: token } = ours.env;
    delete ours.env.WEIGHHOUSE_URL;
    delete ours.env.WEIGHHOUSE_TOKEN;
    const from = ['hf://their/tiny', 'acme/planned@1', '--endpoint', elsewhere.url, '--dry-run'];
    const plan = await ours.json('import', ...from);
    const told = await ours.run('import', ...from);
    Object.assign(ours.env, { WEIGHHOUSE_URL: url, WEIGHHOUSE_TOKEN: token });
    const bytes = Object.values(FILES).reduce((sum, content) => sum + content.length, 0);
    expect(plan).toMatchObject({ files: 3, bytes, dryRun: true });
    expect(plan.list.map(({ path }: Loose) => path)).toEqual(PATHS);
    expect(told.stdout).toContain(plan.source.revision);
    expect(await cached()).toEqual([]);
  }, 30_000);

  test('that the registry will not take fetches nothing', async () => {
    const from = ['hf://their/tiny', 'acme/from-hub@1', '--endpoint', elsewhere.url];
    expect((await ours.failure(13, 'import', ...from)).code).toBe('already-published');
    const foreign = ['hf://their/tiny', 'nobody/tiny@1', '--endpoint', elsewhere.url];
    expect((await ours.failure(3, 'import', ...foreign)).code).toBe('not-authorised');
    expect(await cached()).toEqual([]);
  }, 30_000);

  test('of what is not there says so', async () => {
    const from = ['hf://their/gone', 'acme/gone@1', '--endpoint', elsewhere.url];
    const failure = await ours.failure(4, 'import', ...from);
    expect(failure.message).toContain('check the name');
    expect((await ours.failure(4, 'import', `${oci()}/their/tiny:v2`, 'acme/gone@1')).code).toBe(
      'not-found',
    );
  }, 30_000);
});

describe('an import from a hub', () => {
  let hub: Stranger;
  const files = { 'README.md': Buffer.from('# Tiny\n'), 'model.safetensors': WEIGHTS };

  beforeAll(async () => {
    hub = await Stranger.start();
    fillHub(hub, files);
  });
  afterAll(() => hub.stop());

  test('that broke off goes on where it was', async () => {
    const from = [`hf://${MODEL}`, 'acme/resumed@1', '--endpoint', hub.url];
    const place = [...hub.answers.keys()].find((path) => path.startsWith('/cas/'))!;
    const whole = hub.answers.get(place)!;
    hub.answers.set(place, (_, response) => {
      hub.refuse(place, 403);
      breakOff(response, WEIGHTS, 1_000);
    });
    expect((await ours.failure(3, 'import', ...from)).code).toBe('not-authorised');
    expect(await cached()).toHaveLength(1);
    hub.answers.set(place, whole);
    hub.asked.length = 0;
    const imported = await ours.json('import', ...from);
    expect(imported.source).toEqual({ url: `${hub.url}/${MODEL}`, revision: COMMIT });
    const ranges = hub.asked.filter(({ path }) => path.startsWith(place)).map(({ range }) => range);
    expect(ranges).toStrictEqual(['bytes=1000-']);
    // Of the other file there is nothing left to ask for.
    expect(hub.paths).not.toContain('/api/resolve-cache/README.md');
    expect(await cached()).toEqual([]);
  }, 60_000);

  test('ends at Ctrl-C, and the same command goes on', async () => {
    const from = ['import', `hf://${MODEL}`, 'acme/stopped@1', '--endpoint', hub.url];
    const place = [...hub.answers.keys()].find((path) => path.startsWith('/cas/'))!;
    const whole = hub.answers.get(place)!;
    const { child, ended } = ours.start(...from);
    hub.answers.set(place, (_, response) => {
      response.writeHead(200, { 'content-length': WEIGHTS.length });
      response.write(WEIGHTS.subarray(0, 1_000), () => child.kill('SIGINT'));
    });
    expect(await ended).toMatchObject({
      status: 130,
      stderr: expect.stringContaining('the same command goes on'),
    });
    hub.answers.set(place, whole);
    expect(await ours.json(...from)).toMatchObject({ files: 2 });
  }, 60_000);

  test('asks for a token of the registry before it asks anybody else', async () => {
    const { WEIGHHOUSE_TOKEN: token } = ours.env;
    delete ours.env.WEIGHHOUSE_TOKEN;
    hub.asked.length = 0;
    const from = [`hf://${MODEL}`, 'acme/tokenless@1', '--endpoint', hub.url];
    const failure = await ours.failure(3, 'import', ...from);
    ours.env.WEIGHHOUSE_TOKEN = token!;
    expect(failure.message).toContain('WEIGHHOUSE_TOKEN');
    expect(hub.asked).toEqual([]);
  }, 30_000);

  test('shows HF_TOKEN where HF_ENDPOINT is, and to no other host that is named', async () => {
    const plan = async (...flags: string[]) => {
      hub.asked.length = 0;
      await ours.json('import', `hf://${MODEL}`, 'acme/planned@1', '--dry-run', ...flags);
      return new Set(hub.asked.map(({ token }) => token));
    };
    await ours.write('secrets', { token: 'from-file\n' });
    Object.assign(ours.env, { HF_TOKEN: 'hf_secret', HF_ENDPOINT: hub.url });
    expect(await plan()).toEqual(new Set(['Bearer hf_secret']));
    ours.env.HF_ENDPOINT = 'http://127.0.0.1:9';
    expect(await plan('--endpoint', hub.url)).toEqual(new Set([undefined]));
    const file = ['--endpoint', hub.url, '--source-token-file', 'secrets/token'];
    expect(await plan(...file)).toEqual(new Set(['Bearer from-file']));
    hub.asked.length = 0;
    const other = hub.url.replace('http://', 'oci://');
    await ours.failure(4, 'import', `${other}/acme/tiny`, 'acme/planned@1', '--dry-run');
    expect(hub.asked.map(({ token }) => token)).toStrictEqual([undefined]);
    delete ours.env.HF_TOKEN;
    delete ours.env.HF_ENDPOINT;
  }, 30_000);
});

describe('an import of a directory', () => {
  const said = ['--source-url', 'https://hub.example/acme/tiny', '--source-revision', COMMIT];

  test('says what it is told', async () => {
    await ours.write('mine', FILES);
    const source = { url: said[1], revision: COMMIT };
    const plan = await ours.json('import', 'mine', 'acme/mine@1', ...said, '--dry-run');
    expect(plan).toMatchObject({ source, files: 3, dryRun: true });
    const imported = await ours.json('import', 'mine', 'acme/mine@1', ...said);
    expect(imported).toMatchObject({ source, files: 3 });
    expect(await ours.json('show', 'acme/mine@1')).toMatchObject({ source });
    // A push of the same is another draft: it does not say where the files came from.
    const pushed = await ours.json('push', 'mine', 'acme/mine@1');
    expect(pushed.digest).not.toBe(imported.digest);
    expect(await ours.json('show', 'acme/mine@1')).not.toHaveProperty('source');
  }, 60_000);

  test('wants to know where it came from, and names push for one’s own', async () => {
    const failure = await ours.failure(2, 'import', 'mine', 'acme/mine@2');
    expect(failure.message).toContain('--source-url');
    expect(failure.message).toContain('weighhouse push');
    const branch = [...said.slice(0, 3), 'main'];
    expect((await ours.failure(20, 'import', 'mine', 'acme/mine@2', ...branch)).code).toBe(
      'bad-document',
    );
  }, 30_000);
});

test.each([
  ['mine', '--endpoint', 'https://hub.example'],
  ['mine', '--into', 'x'],
  ['mine', '--source-token-file', 'x'],
  ['mine', '--plain-http', ''],
  ['hf://their/tiny', '--plain-http', ''],
  ['hf://their/tiny', '--source-url', 'https://hub.example/acme/tiny'],
  ['oci://127.0.0.1:9/tiny', '--endpoint', 'https://hub.example'],
  ['oci://127.0.0.1:9/tiny', '--source-revision', COMMIT],
])(
  'of %s, %s says nothing',
  async (from, flag, value) => {
    const failure = await ours.failure(
      2,
      'import',
      from,
      'acme/mine@2',
      flag,
      ...(value ? [value] : []),
    );
    expect(failure.message).toContain(flag);
  },
  30_000,
);
