/** `ollama pull` of a GGUF release, by Ollama's own server. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/peers/free-port.ts';
import { installOllama } from '../../scripts/peers/ollama.ts';
import { digestHex, digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeLlamaGguf } from '../made/llama-gguf.ts';
import { isAskedFor } from './asked-for.ts';

const INSTALLING_MS = 1_200_000;
const RUNNING_MS = 60_000;
const READY_MS = 20_000;
const MODEL = makeLlamaGguf();

(isAskedFor('ollama') ? describe : describe.skip)('ollama', () => {
  let sandbox: Sandbox;
  let ollama: string;
  let model: string;
  let env: NodeJS.ProcessEnv;
  const stops: (() => unknown)[] = [];

  beforeAll(async () => {
    ollama = await installOllama();
    sandbox = await Sandbox.make();
    const made = await sandbox.init('acme');
    const server = await sandbox.serve();
    stops.push(() => server.stop());
    await sandbox.trust(made);
    await sandbox.publish('acme/tiny@q8', {
      'tiny.gguf': MODEL,
      template: '{{ .Prompt }} says the template',
      params: '{"temperature":0.5}',
      LICENSE: 'The licence of the model\n',
      'README.md': '# Tiny\n',
    });
    model = `${new URL(server.url).host}/acme/tiny:q8`;
    const home = { HOME: sandbox.path('home'), OLLAMA_MODELS: sandbox.path('models') };
    env = { ...home, OLLAMA_HOST: `127.0.0.1:${await freePort()}` };
    const { child } = sandbox.spawn(ollama, ['serve'], env);
    stops.push(() => child.kill());
    await untilItAnswers(`http://${env.OLLAMA_HOST}`);
  }, INSTALLING_MS);
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
    await sandbox?.remove();
  });

  async function run(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await sandbox.spawn(ollama, args, env).ended;
    if (status !== 0) throw new Error(`ollama ${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  }

  test(
    'pulls model, template, parameters and licence, and shows them',
    async () => {
      await run('pull', '--insecure', model);
      const blob = `sha256-${digestHex(digestOf(nodeHost, MODEL))}`;
      const pulled = await readFile(sandbox.path('models', 'blobs', blob));
      expect(new Uint8Array(pulled)).toEqual(MODEL);
      expect(await run('list')).toContain(model);
      const shown = await run('show', model);
      for (const said of ['llama', 'F32', '64', '0.5']) expect(shown).toContain(said);
      expect(await run('show', '--template', model)).toContain('says the template');
      expect(await run('show', '--license', model)).toContain('The licence of the model');
    },
    RUNNING_MS,
  );

  test(
    'is told why a release without a model of its kind is none',
    async () => {
      await sandbox.publish('acme/none@1', { 'README.md': 'None.' });
      const none = model.replace('tiny:q8', 'none:1');
      const { status, stderr } = await sandbox.spawn(ollama, ['pull', '--insecure', none], env)
        .ended;
      expect(status).not.toBe(0);
      expect(stderr).toContain('file does not exist');
    },
    RUNNING_MS,
  );
});

async function untilItAnswers(url: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
    if (Date.now() > deadline) throw new Error(`${url} did not answer in time`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
