/** What a publisher says of a model with `push`, and where others see it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Sandbox } from '../e2e/sandbox.ts';

const MS = 60_000;
const COMPANION = ['--companion', 'https://api.example.com/v1', '--companion-model', 'large-2'];

let sandbox: Sandbox;
let url: string;
let stop: () => Promise<unknown>;
let digest: string;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  url = server.url;
  await sandbox.trust(made);
  digest = String((await sandbox.publish('acme/large@1.0', { 'README.md': 'Large.' })).digest);
  await sandbox.write('small', { 'README.md': 'Small.' });
}, MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

test(
  'a base by its relation and reference, and a companion, are sealed, published and shown',
  async () => {
    const base = ['--base', 'quantized:acme/large@1.0'];
    const pushed = await sandbox.json('push', 'small', 'acme/small@1.0', ...base, ...COMPANION);
    const claims = {
      base: [{ relation: 'quantized', release: 'acme/large@1.0', digest }],
      companion: { url: 'https://api.example.com/v1', model: 'large-2' },
    };
    expect(await sandbox.json('show', 'acme/small@1.0')).toMatchObject(claims);
    await sandbox.run('publish', 'acme/small@1.0', '--digest', String(pushed.digest));
    const { stdout } = await sandbox.run('show', 'acme/small@1.0');
    expect(stdout).toContain(`of acme/large@1.0 (${digest}), as its publisher says`);
    expect(stdout).toContain('large-2 at https://api.example.com/v1, as its publisher says');
    expect(await (await fetch(`${url}/api/v1/releases/acme/small/1.0`)).json()).toMatchObject(
      claims,
    );

    // Who looks for what was made of a model finds it, as at the hub.
    const tags = ['base_model:acme/large', 'base_model:quantized:acme/large'];
    expect(await (await fetch(`${url}/api/models/acme/small`)).json()).toMatchObject({ tags });
    for (const tag of tags) {
      const found = (await (await fetch(`${url}/api/models?filter=${tag}`)).json()) as object[];
      expect(found).toMatchObject([{ id: 'acme/small' }]);
    }
  },
  MS,
);

test.each([
  [['--base', 'acme/large@1.0'], 'RELATION:REF'],
  [['--base', 'copy:acme/large@1.0'], 'adapter, finetune, merge, quantized'],
  [['--base', 'merge:acme/nothing@1.0'], 'acme/nothing'],
  [COMPANION.slice(0, 2), '--companion-model'],
  [['--companion', 'http://api.example.com', '--companion-model', 'x'], 'https://HOST/PATH'],
])('%j is refused before anything is sent', async (flags, sentence) => {
  const { status, stderr } = await sandbox.run('push', 'small', 'acme/other@1.0', ...flags);
  expect(status).not.toBe(0);
  expect(stderr).toContain(sentence);
  expect((await sandbox.run('show', 'acme/other@1.0')).stderr).toContain('acme/other');
});
