/**
 * Weights that break their format are not sealed, whatever they are called: what two readers
 * of one file see differently is not signed. (All the ways of breaking one stand in
 * test/core/weights; these go through uploads, the store and a real seal.)
 */
import { describe, expect, test } from '@jest/globals';
import { concat, utf8 } from '../../src/core/bytes.ts';
import { MAX_SAFETENSORS_HEADER } from '../../src/core/weights/safetensors.ts';
import { ggufHeader, ggufString, makeGguf, u32, u64 } from '../made/gguf.ts';
import { type MadeFiles, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { frameSafetensors, makeSafetensors } from '../made/safetensors.ts';

const makeWorld = useWorlds();
const GOOD = makeSafetensors({ w: { dtype: 'U8', shape: [8] } });
const GOOD_GGUF = makeGguf({ tensors: [{ name: 'w', dtype: 'F32', shape: [8] }] });

async function sealing(files: MadeFiles) {
  const live = await (await makeWorld()).openWithNamespace();
  await live.upload(PUBLISHER, RELEASE, files);
  return live.seal(PUBLISHER, RELEASE, Object.keys(files));
}

/** A tensor of so many bytes, said to lie there. */
function tensor(name: string, from: number, to: number): string {
  return `"${name}":{"dtype":"U8","shape":[${to - from}],"data_offsets":[${from},${to}]}`;
}

function framed(tensors: readonly string[], bytes: number): Uint8Array {
  return frameSafetensors(`{${tensors.join(',')}}`, new Uint8Array(bytes));
}

const SAFETENSORS: readonly [string, Uint8Array][] = [
  ['nothing', new Uint8Array(0)],
  ['text', utf8('not weights at all')],
  ['a truncated header', GOOD.subarray(0, 20)],
  ['truncated content', GOOD.subarray(0, GOOD.length - 1)],
  ['a byte too many', concat(GOOD, new Uint8Array(1))],
  ['overlapping tensors', framed([tensor('a', 0, 4), tensor('b', 3, 8)], 8)],
  ['a hole between tensors', framed([tensor('a', 0, 3), tensor('b', 4, 8)], 8)],
  ['a tensor twice', framed([tensor('a', 0, 4), tensor('a', 4, 8)], 8)],
  [
    'a header longer than any may be',
    frameSafetensors('{}', new Uint8Array(8), BigInt(MAX_SAFETENSORS_HEADER) + 1n),
  ],
  ['a header of 2^64-1 bytes', frameSafetensors('{}', undefined, 2n ** 64n - 1n)],
  ['ten thousand levels', frameSafetensors(`{"a":${'['.repeat(10_000)}`)],
  ['an offset over 2^53', framed([tensor('a', 0, 2 ** 53 + 2)], 8)],
];
const GGUF: readonly [string, Uint8Array][] = [
  ['nothing', new Uint8Array(0)],
  ['text', utf8('not weights at all')],
  ['truncated tensors', GOOD_GGUF.subarray(0, GOOD_GGUF.length - 1)],
  ['2^64-1 tensors', concat(ggufHeader({ tensors: 2n ** 64n - 1n }), new Uint8Array(99))],
  ['2^64-1 keys', concat(ggufHeader({ keys: 2n ** 64n - 1n }), new Uint8Array(99))],
  ['a key of 2^63 bytes', concat(ggufHeader({ keys: 1 }), u64(2n ** 63n), new Uint8Array(99))],
  [
    '2^32-1 dimensions',
    concat(ggufHeader({ tensors: 1 }), ggufString('w'), u32(2 ** 32 - 1), new Uint8Array(99)),
  ],
];

describe('weights', () => {
  test('that keep their format are sealed', async () => {
    const status = await sealing({ 'model.safetensors': GOOD, 'model.gguf': GOOD_GGUF });
    expect(status).toMatchObject({ state: 'sealed' });
  });

  test.each([
    ...SAFETENSORS.map(([what, file]) => ['model.safetensors', what, file] as const),
    ...GGUF.map(([what, file]) => ['model.gguf', what, file] as const),
    ['MODEL.SafeTensors', 'text', utf8('not weights at all')],
    ['MODEL.GGUF', 'text', utf8('not weights at all')],
  ])('as %s of %s are not sealed', async (path, _, file) => {
    expect(await sealing({ [path]: file, 'README.md': 'x' })).toMatchObject({
      state: 'draft',
      seal: { running: false, error: { code: 'bad-weights' } },
    });
  });

  test('are known by their content under any other name', async () => {
    const hostile = framed([tensor('a', 0, 4), tensor('b', 3, 8)], 8);
    for (const path of ['weights.bin', 'README.md']) {
      const status = await sealing({ [path]: hostile });
      expect(status).toMatchObject({ state: 'draft', seal: { error: { code: 'bad-weights' } } });
    }
  });

  test.each([
    ['of ten thousand levels', `{"weight_map":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_001)}`],
    ['that maps a tensor twice', '{"weight_map":{"w":"model.safetensors","w":"b.safetensors"}}'],
    ['that leads out', '{"weight_map":{"w":"../model.safetensors"}}'],
    ['of nothing', ''],
  ])('are not sealed with an index %s', async (_, index) => {
    const files = { 'model.safetensors': GOOD, 'model.safetensors.index.json': index };
    expect(await sealing(files)).toMatchObject({
      state: 'draft',
      seal: { error: { code: expect.stringMatching(/^bad-(?:weights|path)$/) } },
    });
  });
});
