/** Transformers (without torch, which no model this small needs) loads a release by its name. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { installTransformers } from '../../scripts/peers/transformers.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 60_000;
const FILES = {
  'config.json': JSON.stringify({ model_type: 'bert', hidden_size: 4, vocab_size: 3 }),
  'model.safetensors': makeSafetensors({ 'embeddings.weight': { dtype: 'F32', shape: [3, 4] } }),
  'tokenizer.json': JSON.stringify({
    version: '1.0',
    ...{ truncation: null, padding: null, normalizer: null, post_processor: null, decoder: null },
    added_tokens: [],
    pre_tokenizer: { type: 'Whitespace' },
    model: { type: 'WordLevel', vocab: { '[UNK]': 0, hello: 1, weights: 2 }, unk_token: '[UNK]' },
  }),
  'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast' }),
};
const PROGRAM = `
import json, sys
from transformers import AutoConfig, AutoTokenizer
from transformers.utils import cached_file
from safetensors.numpy import load_file
cache = {"cache_dir": sys.argv[1]} if len(sys.argv) > 1 else {}
config = AutoConfig.from_pretrained("acme/tiny", **cache)
tokenizer = AutoTokenizer.from_pretrained("acme/tiny", **cache)
tensors = load_file(cached_file("acme/tiny", "model.safetensors", **cache))
shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
print(json.dumps([config.hidden_size, tokenizer("hello weights")["input_ids"], shapes]))`;
const LOADED = [4, [1, 2], { 'embeddings.weight': [3, 4] }];

let sandbox: Sandbox;
let python: string;
let url: string;
let stop: () => Promise<unknown>;

beforeAll(async () => {
  python = await installTransformers();
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  url = server.url;
  await sandbox.trust(made);
  await sandbox.publish('acme/tiny@1', FILES);
}, INSTALLING_MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

async function load(env: Readonly<Record<string, string>>, ...args: string[]): Promise<unknown> {
  const home = { HF_HOME: sandbox.path('home'), HF_HUB_DISABLE_TELEMETRY: '1' };
  const run = sandbox.spawn(python, ['-c', PROGRAM, ...args], { ...home, ...env });
  const { status, stdout, stderr } = await run.ended;
  if (status !== 0) throw new Error(`transformers ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

test(
  'from the registry, with HF_ENDPOINT alone',
  async () => expect(await load({ HF_ENDPOINT: url })).toEqual(LOADED),
  RUNNING_MS,
);

test(
  'from an exported cache, without a network',
  async () => {
    await sandbox.json('export', 'acme/tiny', '--hf-cache', 'exported');
    const env = { HF_ENDPOINT: 'http://127.0.0.1:1', HF_HUB_OFFLINE: '1' };
    expect(await load(env, sandbox.path('exported'))).toEqual(LOADED);
  },
  RUNNING_MS,
);
