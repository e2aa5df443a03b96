import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GGUF, ggufKey, ggufString, makeGguf, u32 } from '../made/gguf.ts';
import { Served } from '../made/served.ts';

const QUANTISATION = { quant_method: 'gptq', bits: 4 };
const MODEL = makeGguf({
  keys: [
    ggufKey('general.architecture', GGUF.string, ggufString('llama')),
    ggufKey('llama.context_length', GGUF.u32, u32(4096)),
    ggufKey('llama.block_count', GGUF.u32, u32(2)),
  ],
  tensors: [{ name: 'a', dtype: 'Q8_0', shape: [32, 10] }],
});

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@1', {
    'config.json': JSON.stringify({ model_type: 'llama', quantization_config: QUANTISATION }),
    'weights.gguf': MODEL,
  });
});
afterAll(() => served.stop());

test('a model tells how it is quantised, and what its GGUF file says of itself', async () => {
  const response = await served.fetch('/api/models/acme/tiny');
  expect(await response.json()).toMatchObject({
    config: { model_type: 'llama', quantization_config: QUANTISATION },
    gguf: { total: 320, architecture: 'llama', context_length: 4096 },
  });
});
