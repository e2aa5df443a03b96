/**
 * The main job as people type it. One registry serves the whole file, and the tests tell one
 * story from top to bottom: a model is pushed, published, pulled and verified, and then
 * things go wrong.
 */
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Policy } from '../../src/core/release/policy.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { type Home, type MadeWorld, makeHome, makeWorld, type Ran, run } from './command-line.ts';

let publisher: Home;
let reader: Home;
let server: MadeWorld;
let serving: Promise<Ran>;
let fingerprint: string;
let digest: string;
let ownerKey: string;

beforeAll(async () => {
  [publisher, reader] = [await makeHome(), await makeHome()];
  const made = await publisher.json(
    'init',
    ...['--store', publisher.path('store'), '--keys', publisher.path('keys')],
    ...['--origin', 'models.example', '--namespace', 'acme', '--no-passphrase'],
  );
  fingerprint = made.fingerprint as string;
  ownerKey = made.ownerKey as string;
  server = makeWorld(publisher.env);
  serving = run(
    [
      'serve',
      ...['--store', publisher.path('store'), '--keys', publisher.path('keys')],
      ...['--listen', '127.0.0.1:0', '--index', publisher.path('index')],
    ],
    server,
  );
  await Promise.race([server.hears('listening on '), serving]);
  const url = server.said().stdout.trim().replace('listening on ', '');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+$/);
  Object.assign(publisher.env, { WEIGHHOUSE_URL: url, WEIGHHOUSE_TOKEN: made.token });
  reader.env.WEIGHHOUSE_URL = url;

  await mkdir(publisher.path('model'));
  const weights = makeSafetensors({ w: { dtype: 'F32', shape: [64, 64] } });
  await writeFile(publisher.path('model', 'model.safetensors'), weights);
  await writeFile(publisher.path('model', 'config.json'), '{"model_type":"tiny"}\n');
  await writeFile(publisher.path('model', '.gitattributes'), 'x');
}, 30_000);

afterAll(async () => {
  server.stop();
  const { status } = await serving;
  await Promise.all([publisher.remove(), reader.remove()]);
  expect(status).toBe(0);
});

const model = () => publisher.path('model');
const advise = (kind: string, summary: string) =>
  publisher.json(
    ...['advise', 'acme/tiny@1.0', '--kind', kind],
    ...['--summary', summary, '--key', ownerKey],
  );

/** The file below `folder` that holds just `bytes`. */
async function findFile(folder: string, bytes: Uint8Array): Promise<string> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).equals(bytes)) return path;
  }
  throw new Error(`nothing below ${folder} holds those bytes`);
}

describe('pushing', () => {
  test('a dry run says what would be pushed, and pushes nothing', async () => {
    const ran = await publisher.run('push', model(), 'acme/tiny@1.0', '--dry-run');
    expect(ran.stdout).toMatch(/^would push acme\/tiny@1.0: 2 files/);
    expect(ran.stderr).toContain('left out: .gitattributes');
    expect((await publisher.run('status', 'acme/tiny@1.0')).status).toBe(4);
  });

  test('a dry run takes no registry, and finds what a registry would refuse', async () => {
    const { WEIGHHOUSE_URL, WEIGHHOUSE_TOKEN, ...nowhere } = publisher.env;
    const dry = () =>
      run(['push', publisher.path('broken'), 'acme/tiny@1.0', '--dry-run'], makeWorld(nowhere));
    await mkdir(publisher.path('broken'));
    await writeFile(publisher.path('broken', 'run.py'), 'print()');
    const warned = await dry();
    expect(warned.status).toBe(0);
    expect(warned.stderr).toMatch(/^warning: run\.py may run code/m);
    await writeFile(publisher.path('broken', 'model.safetensors'), 'no weights');
    const refused = await dry();
    expect(refused.status).toBe(20);
    expect(refused.stderr).toContain('model.safetensors');
  });

  test('without a seal leaves a draft, which "seal" seals', async () => {
    const pushed = await publisher.json('push', model(), 'acme/tiny@1.0', '--no-seal');
    expect(pushed).toMatchObject({ reference: 'acme/tiny@1.0', files: 2 });
    expect(pushed).not.toHaveProperty('digest');
    expect(await publisher.json('status', 'acme/tiny@1.0')).toMatchObject({ state: 'draft' });
    const sealed = await publisher.json('seal', 'acme/tiny@1.0');
    expect(sealed).toMatchObject({ reference: 'acme/tiny@1.0', files: 2 });
    digest = sealed.digest as string;
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('sealing what is sealed gives the same, with and without the directory', async () => {
    const first = await publisher.json('seal', 'acme/tiny@1.0', model());
    expect(first).toMatchObject({ reference: 'acme/tiny@1.0', digest, files: 2 });
    const { reference, files, bytes } = first;
    const again = await publisher.json('seal', 'acme/tiny@1.0');
    expect(again).toMatchObject({ reference, digest, files, bytes });
  });

  test('"seal" of a draft that was pushed from elsewhere asks for the directory', async () => {
    const elsewhere = { ...publisher.env, XDG_CONFIG_HOME: publisher.path('elsewhere') };
    await publisher.json('push', model(), 'acme/open@1', '--no-seal');
    const ran = await run(['seal', 'acme/open@1'], makeWorld(elsewhere));
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('weighhouse seal acme/open@1 DIR');
    expect((await run(['seal', 'acme/none@1'], makeWorld(elsewhere))).status).toBe(4);
    expect((await publisher.run('seal', 'acme/open@1')).status).toBe(0);
  });

  test('pushing the same again finds it sealed, with the same digest', async () => {
    const again = await publisher.json('push', model(), 'acme/tiny@1.0');
    expect(again).toMatchObject({ digest, files: 2 });
    const status = await publisher.json('status', 'acme/tiny@1.0');
    expect(status).toMatchObject({ state: 'sealed', digest, missing: [] });
  });

  test('stopped while it hashes, it says that the same command goes on', async () => {
    await mkdir(publisher.path('large'));
    await writeFile(publisher.path('large', 'weights.bin'), '');
    await truncate(publisher.path('large', 'weights.bin'), 4 * 2 ** 30);
    const world = makeWorld(publisher.env);
    world.stderr.isTTY = true;
    const running = run(['push', publisher.path('large'), 'acme/large@1'], world);
    await world.hears('weights.bin');
    world.stop();
    const { status, stderr } = await running;
    expect(status).toBe(130);
    expect(stderr).toMatch(/stopped while hashing [^\n]*; the same command goes on from here\n$/);
    await rm(publisher.path('large'), { recursive: true });
  });

  test('a draft is shown to its namespace, and to nobody else', async () => {
    const shown = await publisher.json('show', 'acme/tiny@1.0');
    expect(shown).toMatchObject({ state: 'sealed', digest });
    expect((await reader.run('show', 'acme/tiny@1.0')).status).toBe(4);
    expect((await reader.run('status', 'acme/tiny@1.0')).status).toBe(3);
  });

  test('a link in the directory is refused by name', async () => {
    await mkdir(publisher.path('linked'));
    await symlink('/etc/passwd', publisher.path('linked', 'vocab.txt'));
    const ran = await publisher.run('push', publisher.path('linked'), 'acme/tiny@9');
    expect(ran.status).toBe(20);
    expect(ran.stderr).toContain('vocab.txt');
  });
});

describe('publishing', () => {
  test('takes the digest when nobody can be asked, and the right one', async () => {
    const nobody = await publisher.run('publish', 'acme/tiny@1.0');
    expect(nobody.status).toBe(2);
    expect(nobody.stderr).toContain('--digest');
    const other = `sha256:${'0'.repeat(64)}`;
    expect((await publisher.run('publish', 'acme/tiny@1.0', '--digest', other)).status).toBe(13);
  });

  /** Publishes at a terminal, and types `answer`. */
  async function typed(answer: string): Promise<Ran> {
    const world = makeWorld(publisher.env);
    world.stdin.isTTY = true;
    world.stderr.isTTY = true;
    const running = run(['publish', 'acme/tiny@1.0', '--json'], world);
    await world.hears('Type the reference');
    world.stdin.write(`${answer}\n`);
    return running;
  }

  test('at a terminal asks to type the reference, and stops when it is another', async () => {
    const { status, stderr } = await typed('yes');
    expect(status).toBe(130);
    expect(stderr).toContain(digest);
    expect(await publisher.json('status', 'acme/tiny@1.0')).toMatchObject({ state: 'sealed' });
  });

  test('once it is typed, gives log index, page and proof', async () => {
    const { status, stdout } = await typed('acme/tiny@1.0');
    expect(status).toBe(0);
    const published = JSON.parse(stdout) as Record<string, unknown>;
    expect(published).toMatchObject({ reference: 'acme/tiny@1.0', digest });
    expect(published.index).toEqual(expect.any(Number));
    expect(published.size).toBeGreaterThan(published.index as number);
    const proof = await fetch(published.proof as string);
    expect(await proof.text()).toMatch(/^c2sp\.org\/tlog-proof@v1\n/);
  });

  test('twice gives the same index', async () => {
    const again = async () =>
      (await publisher.json('publish', 'acme/tiny@1.0', '--digest', digest)).index;
    expect(await again()).toBe(await again());
  });

  test('a published version takes no push, and cannot be withdrawn', async () => {
    expect((await publisher.run('push', model(), 'acme/tiny@1.0')).status).toBe(13);
    expect((await publisher.run('withdraw', 'acme/tiny@1.0')).status).toBe(13);
  });

  test('sealing a published version gives what was published', async () => {
    const { status, stdout, stderr } = await publisher.run('seal', 'acme/tiny@1.0');
    expect(status).toBe(0);
    expect(stdout).toContain(digest);
    expect(stderr).not.toContain('next:');
    expect(await publisher.json('seal', 'acme/tiny@1.0')).toMatchObject({ digest, files: 2 });
    expect((await publisher.run('seal', 'acme/tiny@1.0', model())).status).toBe(13);
  });

  test('a draft can be withdrawn, and is not sealed any more', async () => {
    await publisher.json('push', model(), 'acme/tiny@0.9');
    const withdrawn = await publisher.json('withdraw', 'acme/tiny@0.9');
    expect(withdrawn).toMatchObject({ state: 'withdrawn' });
    const sealed = await publisher.run('seal', 'acme/tiny@0.9');
    expect(sealed.status).toBe(1);
    expect(sealed.stderr).toContain('withdrawn');
  });
});

describe('trusting', () => {
  test('what verifies refuses a registry that is not pinned', async () => {
    for (const argv of [
      ['pull', 'acme/tiny', reader.path('x')],
      ['log', 'tail'],
    ]) {
      const { status, stderr } = await reader.run(...argv);
      expect(status).toBe(11);
      expect(stderr).toContain('weighhouse trust add');
    }
  });

  test('what a person signs is signed for a registry that is pinned, or not at all', async () => {
    const signing = ['--key', ownerKey];
    const advising = ['advise', 'acme/tiny@1.0', '--kind', 'recalled', '--summary', 'x'];
    expect((await publisher.run(...advising, ...signing)).status).toBe(11);
    const beginning = ['namespace', 'create', 'other'];
    expect((await publisher.run(...beginning, ...signing)).status).toBe(11);
  });

  test('where nobody can be asked a pin takes its fingerprint, and the right one', async () => {
    const url = reader.env.WEIGHHOUSE_URL!;
    const nobody = await reader.run('trust', 'add', url);
    expect(nobody.status).toBe(11);
    expect(nobody.stderr).toContain(fingerprint);
    const other = `sha256:${'0'.repeat(64)}`;
    expect((await reader.run('trust', 'add', url, '--fingerprint', other)).status).toBe(11);
    expect(await reader.json('trust', 'list')).toEqual({ registries: [] });
  });

  test('at a terminal the fingerprint is shown, and pinned when the person says yes', async () => {
    for (const [answer, status] of [
      ['no', 11],
      ['yes', 0],
    ] as const) {
      const world = makeWorld(reader.env);
      world.stdin.isTTY = true;
      world.stderr.isTTY = true;
      const running = run(['trust', 'add', reader.env.WEIGHHOUSE_URL!], world);
      await world.hears('Type yes');
      expect(world.said().stderr).toContain(fingerprint);
      world.stdin.write(`${answer}\n`);
      expect((await running).status).toBe(status);
    }
    expect(await reader.json('trust', 'list')).toMatchObject({
      registries: [{ origin: 'models.example', fingerprint }],
    });
  });

  test('a file of the root pins as well as the address does', async () => {
    const other = await makeHome();
    const root = await fetch(`${reader.env.WEIGHHOUSE_URL}/.well-known/weighhouse/root/1.json`);
    await writeFile(other.path('root.json'), new Uint8Array(await root.arrayBuffer()));
    const added = await other.json(
      'trust',
      'add',
      other.path('root.json'),
      '--fingerprint',
      fingerprint,
    );
    expect(added).toMatchObject({ origin: 'models.example', fingerprint });
    await other.remove();
  });

  test('the only pinned registry is the one that is meant', async () => {
    const { WEIGHHOUSE_URL, ...env } = reader.env;
    const { status } = await run(['list'], makeWorld(env));
    expect(status).toBe(0);
  });

  test.each([
    ['pem', /^-----BEGIN PUBLIC KEY-----\n/],
    ['vkey', /^models\.example\+/],
    ['sigstore-trusted-root', /"mediaType"/],
    ['tlog-policy', /^log models\.example\+/],
  ])('exports %s for other verifiers', async (format, text) => {
    const { status, stdout } = await reader.run('trust', 'export', '--format', format);
    expect(status).toBe(0);
    expect(stdout).toMatch(text);
  });
});

describe('downloading', () => {
  test('a dry run writes nothing', async () => {
    const ran = await reader.json('pull', 'acme/tiny', reader.path('dry'), '--dry-run');
    expect(ran).toMatchObject({ reference: 'acme/tiny@1.0', files: 2 });
    expect(await readdir(reader.folder)).not.toContain('dry');
  });

  test('pull gives the pushed bytes, and what verify needs', async () => {
    const pulled = await reader.json('pull', 'Acme/Tiny', reader.path('tiny'));
    expect(pulled).toMatchObject({ reference: 'acme/tiny@1.0', digest, files: 2 });
    for (const name of ['model.safetensors', 'config.json']) {
      const [before, after] = [publisher.path('model', name), reader.path('tiny', name)];
      expect(await readFile(after)).toEqual(await readFile(before));
    }
    expect(await readdir(reader.path('tiny'))).toContain('model.sig');
  });

  test('by digest, and with a selection', async () => {
    const reference = `acme/tiny@${digest}`;
    const part = ['--include', '*.json'];
    const pulled = await reader.json('pull', reference, reader.path('part'), ...part);
    expect(pulled).toMatchObject({ reference: 'acme/tiny@1.0', files: 1 });
    const verified = await reader.run('verify', reader.path('part'), '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ok: true,
      files: 1,
      total: 2,
      partial: true,
    });
    expect(verified.stderr).toMatch(/^warning: only 1 of the 2 files of acme\/tiny@1\.0 /m);
  });

  test('verify says what it checked, offline, in full and online', async () => {
    const { WEIGHHOUSE_URL, ...offline } = reader.env;
    const plain = await run(['verify', reader.path('tiny'), '--json'], makeWorld(offline));
    expect(JSON.parse(plain.stdout)).toMatchObject({ ok: true, digest });
    expect(plain.stdout).toContain('attested');
    const full = await reader.json('verify', reader.path('tiny'), '--full', '--online');
    expect(full).toMatchObject({ ok: true, digest });
    expect((full.checks as string[]).join()).not.toContain('attested');
    expect((full.checks as string[]).join()).toContain('no advisory');
  });

  test('lists, searches and shows what is published', async () => {
    const listed = { releases: [expect.objectContaining({ reference: 'acme/tiny@1.0', digest })] };
    expect(await reader.json('list')).toMatchObject(listed);
    expect(await reader.json('list', 'acme')).toMatchObject(listed);
    expect(await reader.json('list', 'other')).toMatchObject({ releases: [] });
    expect(await reader.json('search', 'tiny')).toMatchObject(listed);
    expect(await reader.json('search', 'enormous')).toMatchObject({ releases: [] });
    const page = await reader.json('list', '--limit', '1');
    const rest = await reader.json('list', '--before', String(page.next));
    expect(rest).toEqual({ releases: [] });
    const shown = await reader.json('show', 'acme/tiny');
    expect(shown).toMatchObject({ reference: 'acme/tiny@1.0', digest, state: 'published' });
    expect(shown.files).toEqual([
      expect.objectContaining({ path: 'config.json', size: 22 }),
      expect.objectContaining({ path: 'model.safetensors', format: 'safetensors' }),
    ]);
  });

  test('a release differs from nothing that it consists of', async () => {
    const none = { added: [], removed: [], changed: [] };
    expect(await reader.json('diff', 'acme/tiny', reader.path('tiny'))).toEqual(none);
    await writeFile(reader.path('tiny', 'extra.txt'), 'x');
    const { added } = await reader.json('diff', 'acme/tiny@1.0', reader.path('tiny'));
    expect(added).toEqual([expect.objectContaining({ kind: 'file', name: 'extra.txt' })]);
  });
});

describe('the log', () => {
  test('history tells where the release stands', async () => {
    const { events } = await reader.json('history', 'acme/tiny');
    const { index } = await publisher.json('publish', 'acme/tiny@1.0', '--digest', digest);
    expect(events).toEqual([
      expect.objectContaining({ index: 0, kind: 'namespace', time: expect.any(String) }),
      expect.objectContaining({ index, kind: 'release', time: expect.any(String) }),
    ]);
  });

  test('tail gives one document a line, and entry the same entry', async () => {
    const { stdout } = await reader.run('log', 'tail', '-n', '3', '--json');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    const last = JSON.parse(lines[2]!) as { index: number; kind: string };
    expect(await reader.json('log', 'entry', String(last.index))).toEqual(last);
    expect((await reader.run('log', 'entry', '999')).status).toBe(4);
  });

  test('tail --follow goes on with what is logged, until Ctrl-C', async () => {
    const url = publisher.env.WEIGHHOUSE_URL!;
    await publisher.json('trust', 'add', url, '--fingerprint', fingerprint);
    const world = makeWorld(reader.env);
    const following = run(['log', 'tail', '--follow'], world);
    await world.hears('release');
    await advise('quality', 'rather small');
    await world.hears('rather small');
    world.stop();
    expect((await following).status).toBe(130);
  });

  test('proof is a tlog-proof of the entry', async () => {
    const { stdout } = await reader.run('log', 'proof', '0');
    expect(stdout).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 0\n/);
    expect(await reader.json('log', 'proof', '0')).toMatchObject({ index: 0, proof: stdout });
  });

  test('audit replays it, and with --state goes on where it ended', async () => {
    const argv = ['audit', reader.env.WEIGHHOUSE_URL!, '--state', reader.path('audit.json')];
    const first = await reader.json(...argv, '--content');
    expect(first).toMatchObject({ ok: true, from: 0, releases: 1, violations: [] });
    expect(first.root).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(first).not.toHaveProperty('state');
    expect(await reader.json(...argv)).toMatchObject({ ok: true, from: first.size });
  });

  test('the policy of a namespace is shown', async () => {
    const shown = await reader.json('policy', 'show', 'acme');
    expect(shown).toMatchObject({ index: 0, policy: { namespace: 'acme' } });
    expect((await reader.run('policy', 'show', 'other')).status).toBe(4);
  });
});

describe('going wrong', () => {
  test('an extra file, a changed byte and a missing file are each found: 10', async () => {
    expect((await reader.run('verify', reader.path('tiny'))).status).toBe(10);
    await reader.run('pull', 'acme/tiny', reader.path('changed'));
    await appendFile(reader.path('changed', 'config.json'), ' ');
    const changed = await reader.run('verify', reader.path('changed'), '--json');
    expect(changed.status).toBe(10);
    expect(changed.stderr).toContain('changed: config.json\n');
    expect(JSON.parse(changed.stdout)).toMatchObject({
      error: { code: 'digest-mismatch', details: { changed: ['config.json'] } },
    });
  });

  test('a byte that changed in the store is found by audit --content: 10', async () => {
    const weights = await readFile(publisher.path('model', 'model.safetensors'));
    const blob = await findFile(publisher.path('store'), weights);
    const damaged = Buffer.from(weights);
    damaged[damaged.length - 1]! ^= 1;
    await chmod(blob, 0o600);
    await writeFile(blob, damaged);
    const audited = await reader.run('audit', '--content', '--json');
    await writeFile(blob, weights);
    expect(audited.status).toBe(10);
    expect(JSON.parse(audited.stdout)).toMatchObject({
      ok: false,
      violations: [{ code: 'digest-mismatch', message: expect.stringContaining('safetensors') }],
    });
  });

  test('a namespace takes the operator’s token and an owner’s key', async () => {
    const create = ['namespace', 'create', 'other', '--key', ownerKey];
    expect((await publisher.run(...create)).status).toBe(3);
    const { token } = await publisher.json(
      'token',
      'create',
      ...['--store', publisher.path('store'), '--keys', publisher.path('keys')],
      ...['--subject', 'op', '--role', 'operator'],
    );
    const made = await publisher.json(...create, '--token', token as string);
    expect(made).toMatchObject({ namespace: 'other', index: expect.any(Number) });
    const { policy } = await publisher.json('policy', 'show', 'other');
    const moved = { ...(policy as Policy), namespace: 'third' };
    const write = (text: unknown) =>
      writeFile(publisher.path('policy.json'), JSON.stringify(text, null, 2));
    const third = ['namespace', 'create', 'third', '--key', ownerKey, '--token', token as string];
    const file = ['--policy', publisher.path('policy.json')];
    await write(moved);
    const unproven = await publisher.run(...third, ...file);
    expect(unproven).toMatchObject({ status: 11, stderr: expect.stringContaining('no proof') });
    const where = ['--origin', moved.origin, '--namespace', 'third', '--person', 'owner'];
    const key = await publisher.json('key', 'enroll', ownerKey, ...where);
    await write({ ...moved, people: [{ ...moved.people[0], keys: [key] }] });
    expect(await publisher.json(...third, ...file)).toMatchObject({ namespace: 'third' });
    const wrong = [...third.with(2, 'fourth'), ...file];
    expect((await publisher.run(...wrong)).status).toBe(20);
  });

  test('an advisory warns, and a recall stops who pulls or verifies online: 13', async () => {
    const warned = await reader.run('pull', 'acme/tiny', reader.path('warned'));
    expect(warned.status).toBe(0);
    expect(warned.stderr).toContain('quality: rather small');
    await advise('recalled', 'wrong tokenizer');
    const recalled = await reader.run('pull', 'acme/tiny', reader.path('recalled'));
    expect(recalled.status).toBe(13);
    expect(recalled.stderr).toContain('wrong tokenizer');
    expect((await reader.run('verify', reader.path('warned'))).status).toBe(0);
    expect((await reader.run('verify', reader.path('warned'), '--online')).status).toBe(13);
    const accepted = ['pull', 'acme/tiny', reader.path('recalled'), '--accept-recalled'];
    expect((await reader.run(...accepted)).status).toBe(0);
  });
});
