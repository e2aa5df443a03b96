/**
 * The main job, from outside: every command a process, every answer read as the JSON that
 * scripts rely on. One story from top to bottom; an independent verifier reads its result.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeSafetensors } from '../made/safetensors.ts';
import { type Made, ORIGIN, Sandbox, type ServerProcess } from './sandbox.ts';
import { forged, sigstoreVerifier } from './sigstore.ts';

const REFERENCE = 'acme/tiny@1.0';
const FILES = {
  'README.md': '# Tiny\n',
  'config.json': '{"model_type":"tiny"}\n',
  'model.safetensors': makeSafetensors({ 'layer.weight': { dtype: 'F32', shape: [4, 4] } }),
};
const BYTES = Object.values(FILES).reduce((sum, { length }) => sum + length, 0);
const DIGEST = /^sha256:[0-9a-f]{64}$/;

let sandbox: Sandbox;
let made: Made;
let server: ServerProcess;
let digest: string;
let index: number;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  await sandbox.write('model', FILES);
});

afterAll(async () => {
  await server?.stop();
  await sandbox?.remove();
});

describe('the main job, one command after the other', () => {
  test('init makes a registry, once', async () => {
    made = await sandbox.init('acme');
    expect(made).toMatchObject({ origin: ORIGIN, fingerprint: expect.stringMatching(DIGEST) });
    expect(made.vkey).toMatch(/^weights\.test\+[0-9a-f]{8}\+/);
    const again = ['--store', 'store', '--keys', 'other', '--origin', ORIGIN, '--no-passphrase'];
    const secrets = ['--root-key', 'other-root.key', '--owner-key', 'other-owner.key'];
    await sandbox.failure(1, 'init', ...again, ...secrets);
  }, 30_000);

  test('serve says where it listens, and is ready', async () => {
    server = await sandbox.serve();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  }, 30_000);

  test('a registry that is not pinned is not believed: 11', async () => {
    expect(await sandbox.failure(11, 'pull', 'acme/tiny', 'never')).toMatchObject({
      code: 'untrusted',
    });
    const url = server.url;
    await sandbox.failure(11, 'trust', 'add', url);
    await sandbox.failure(11, 'trust', 'add', url, '--fingerprint', `sha256:${'0'.repeat(64)}`);
    await sandbox.trust(made);
    expect((await sandbox.json('trust', 'list')).registries).toHaveLength(1);
  }, 30_000);

  test('push seals', async () => {
    const pushed = await sandbox.json('push', 'model', REFERENCE);
    expect(pushed).toMatchObject({ reference: REFERENCE, files: 3, bytes: BYTES });
    digest = pushed.digest;
    expect(digest).toMatch(DIGEST);
    const status = await sandbox.json('status', REFERENCE);
    expect(status).toMatchObject({ state: 'sealed', digest, missing: [] });
  }, 30_000);

  test('what is not published is not there: 4', async () => {
    expect(await sandbox.failure(4, 'pull', REFERENCE, 'never')).toMatchObject({
      code: 'not-found',
    });
  }, 30_000);

  test('publish takes the digest, and answers twice the same', async () => {
    await sandbox.failure(13, 'publish', REFERENCE, '--digest', `sha256:${'0'.repeat(64)}`);
    const published = await sandbox.json('publish', REFERENCE, '--digest', digest);
    expect(published).toMatchObject({ reference: REFERENCE, digest });
    index = published.index;
    expect(index).toBeGreaterThan(0);
    expect(published.size).toBeGreaterThan(index + 1);
    const again = await sandbox.json('publish', REFERENCE, '--digest', digest);
    expect(again).toMatchObject({ digest, index });
    expect(await sandbox.failure(13, 'push', 'model', REFERENCE)).toMatchObject({
      code: 'already-published',
    });
  }, 30_000);

  test('pull gives the bytes back', async () => {
    const pulled = await sandbox.json('pull', 'acme/tiny', 'pulled');
    expect(pulled).toMatchObject({ reference: REFERENCE, digest, files: 3, bytes: BYTES, index });
    for (const [path, content] of Object.entries(FILES)) {
      const bytes = await readFile(sandbox.path('pulled', path));
      expect(bytes.equals(Buffer.from(content))).toBe(true);
    }
    await sandbox.json('pull', `acme/tiny@${digest}`, 'by-digest');
  }, 30_000);

  test('verify, offline and online, whole and damaged', async () => {
    const verified = await sandbox.json('verify', 'pulled', '--full');
    expect(verified).toMatchObject({ ok: true, digest, index });
    expect(verified.checks.length).toBeGreaterThan(3);
    await sandbox.json('verify', 'pulled', '--online');
    const file = sandbox.path('by-digest/model.safetensors');
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
    const { message } = await sandbox.failure(10, 'verify', 'by-digest');
    expect(message).toContain('model.safetensors');
    await rm(file);
    await sandbox.failure(10, 'verify', 'by-digest');
  }, 30_000);

  test('show, list, search, inspect and diff', async () => {
    const shown = await sandbox.json('show', REFERENCE);
    expect(shown).toMatchObject({ reference: REFERENCE, digest, state: 'published' });
    expect(shown.files).toHaveLength(3);
    expect(shown.files[2]).toMatchObject({
      path: 'model.safetensors',
      size: FILES['model.safetensors'].length,
      sha256: expect.stringMatching(/^sha256:/),
    });
    expect((await sandbox.json('list', 'acme')).releases).toHaveLength(1);
    expect((await sandbox.json('search', 'tiny')).releases).toHaveLength(1);
    const inspected = await sandbox.json('inspect', 'pulled/model.safetensors');
    expect(inspected.format).toBe('safetensors');
    expect(inspected.tensors).toMatchObject([
      { name: 'layer.weight', dtype: 'F32', shape: [4, 4] },
    ]);
    const { tensors } = inspected;
    expect(await sandbox.json('inspect', REFERENCE)).toMatchObject({ digest, tensors });
    const none = { added: [], removed: [], changed: [] };
    expect(await sandbox.json('diff', REFERENCE, 'pulled')).toEqual(none);
    const difference = await sandbox.json('diff', 'model', 'pulled');
    expect(difference).toMatchObject({ added: [], removed: [], changed: [] });
  }, 30_000);

  test('history and audit', async () => {
    const { events } = await sandbox.json('history', 'acme/tiny');
    expect(events).toContainEqual(
      expect.objectContaining({ index, kind: 'release', time: expect.stringMatching(/Z$/) }),
    );
    const audited = await sandbox.json('audit', '--content', '--state', 'audit.state');
    expect(audited).toMatchObject({ ok: true, releases: 1, violations: [] });
    const { size, root } = await sandbox.json('audit', '--state', 'audit.state');
    expect({ size, root }).toEqual({ size: audited.size, root: audited.root });
  }, 30_000);

  test('sigstore-js accepts what was pulled, given the exported trust root', async () => {
    const bundle = JSON.parse(await readFile(sandbox.path('pulled/model.sig'), 'utf8'));
    const verify = await sigstoreVerifier(sandbox, bundle);
    expect(() => verify(bundle)).not.toThrow();
    expect(() => verify({ ...bundle, dsseEnvelope: forged(bundle.dsseEnvelope) })).toThrow();
  }, 30_000);

  test('recalled: pull refuses with 13, and takes it when it is told to', async () => {
    const about = ['--kind', 'recalled', '--summary', 'wrong tokenizer'];
    const advised = await sandbox.json('advise', REFERENCE, ...about, '--key', 'offline/owner.key');
    expect(advised.index).toBeGreaterThan(index);
    const failure = await sandbox.failure(13, 'pull', 'acme/tiny', 'recalled');
    expect(failure).toMatchObject({ code: 'recalled' });
    expect(failure.message).toContain('wrong tokenizer');
    await sandbox.failure(13, 'verify', 'pulled', '--online');
    const accepted = await sandbox.json('pull', 'acme/tiny', 'recalled', '--accept-recalled');
    expect(accepted).toMatchObject({ digest, index });
    const { events } = await sandbox.json('history', 'acme/tiny');
    expect(events.map(({ kind }: { kind: string }) => kind)).toContain('advisory');
  }, 30_000);

  test('SIGTERM ends the server with 0', async () => {
    expect(await server.stop()).toMatchObject({ status: 0 });
    expect(await sandbox.json('verify', 'pulled')).toMatchObject({ ok: true });
    await sandbox.failure(5, 'show', REFERENCE);
  }, 60_000);
});
