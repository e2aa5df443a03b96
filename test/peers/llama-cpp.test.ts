/**
 * `llama-server -hf`: llama.cpp finds the model of a release by the hub's API and keeps it. This build
 * of it is for processors with AVX-512, and ends by a signal where others would load the model.
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/peers/free-port.ts';
import { installLlamaServer } from '../../scripts/peers/llama-cpp.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeLlamaGguf } from '../made/llama-gguf.ts';
import { isAskedFor } from './asked-for.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 120_000;
const MODEL = makeLlamaGguf();

(isAskedFor('llama.cpp') ? describe : describe.skip)('llama-server', () => {
  let sandbox: Sandbox;
  let llamaServer: readonly [string, ...string[]];
  let stop: () => Promise<unknown>;

  beforeAll(async () => {
    llamaServer = await installLlamaServer();
    sandbox = await Sandbox.make();
    const made = await sandbox.init('acme');
    const server = await sandbox.serve();
    stop = () => server.stop();
    await sandbox.trust(made);
    await sandbox.publish('acme/tiny-GGUF@1', { 'README.md': '# Tiny\n', 'tiny-Q8_0.gguf': MODEL });
  }, INSTALLING_MS);
  afterAll(async () => {
    await stop?.();
    await sandbox?.remove();
  });

  /** What llama-server says, and which models it has, until it has loaded the model `name` or ended. */
  async function load(name: string, home: string): Promise<{ models: unknown; said: string }> {
    const port = String(await freePort());
    const [program, ...before] = llamaServer;
    const address = ['--host', '127.0.0.1', '--port', port];
    const { child, ended } = sandbox.spawn(
      program,
      [...before, '-hf', name, ...address, '--no-warmup', '--threads', '1'],
      { HF_ENDPOINT: sandbox.env.WEIGHHOUSE_URL, HF_HOME: sandbox.path(home) },
    );
    let over = false;
    const finish = () => {
      over = true;
    };
    ended.then(finish, finish);
    let models: unknown;
    while (!over && models === undefined) {
      const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
      if (health?.ok) models = await (await fetch(`http://127.0.0.1:${port}/v1/models`)).json();
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill();
    const { stdout, stderr } = await ended;
    return { models, said: stdout + stderr };
  }

  test(
    'takes the file by its quantisation, keeps it by commit, and begins to load it',
    async () => {
      expect((await load('acme/tiny-GGUF:Q8_0', 'with-tag')).said).toContain('loading model');
      const kept = sandbox.path('with-tag', 'hub', 'models--acme--tiny-GGUF', 'snapshots');
      const [commit, ...others] = await readdir(kept);
      const refs = await fetch(`${sandbox.env.WEIGHHOUSE_URL}/api/models/acme/tiny-GGUF/refs`);
      const { branches } = (await refs.json()) as { branches: { targetCommit: string }[] };
      expect([commit, others]).toEqual([branches[0]!.targetCommit, []]);
      const file = await realpath(`${kept}/${commit}/tiny-Q8_0.gguf`);
      expect(new Uint8Array(await readFile(file))).toEqual(MODEL);
    },
    RUNNING_MS,
  );

  test(
    'is told that a model does not exist',
    async () => {
      const { models, said } = await load('acme/nothing', 'nothing');
      expect(models).toBe(undefined);
      expect(said).toContain('404');
    },
    RUNNING_MS,
  );
});
