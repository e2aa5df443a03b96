/** Pages of what is in the weights: the tensors of a release, and what changed since another one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/core/digest.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeSafetensors } from '../../made/safetensors.ts';
import { Served } from '../../made/served.ts';

const byte = (value: number) => ({ dtype: 'U8', shape: [1], bytes: Uint8Array.of(value) });
const layers = (value: number) =>
  Object.fromEntries(
    [0, 1].flatMap((i) => [
      [`layers.${i}.up.weight`, byte(7)],
      [`layers.${i}.down.weight`, byte(i === 1 ? value : 7)],
    ]),
  );
const FIRST = {
  'README.md': '# Tiny',
  'a.safetensors': makeSafetensors({
    ...layers(1),
    'Head.weight': { dtype: 'BF16', shape: [4, 300] },
    '<b>&"': byte(9),
  }),
};
const SECOND = {
  'README.md': '# Tiny, the second',
  LICENSE: 'MIT',
  'a.safetensors': makeSafetensors({ ...layers(2), extra: { dtype: 'F32', shape: [] } }),
};
const MANY = Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`t${i}`, byte(i % 251)]));

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', FIRST);
  await served.publish('acme/tiny@v2', SECOND);
  await served.publish('acme/many@v1', { 'm.safetensors': makeSafetensors(MANY) });
  await served.publish('acme/sharded@v1', {
    'a.safetensors': makeSafetensors({ a: byte(1) }),
    'b.safetensors': makeSafetensors({ b: byte(2) }),
  });
  await served.publish('acme/words@v1', { 'README.md': 'No weights.' });
  await served.publish('acme/words@v2', { 'README.md': 'No weights, either.' });
});
afterAll(() => served.stop());

async function page(path: string) {
  const response = await served.fetch(path, { headers: { Accept: 'text/html' } });
  const text = await response.text();
  const shown = text.replaceAll(/<title>[^<]*<\/title>|<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
  return { status: response.status, text, shown };
}

const namesIn = (text: string) =>
  [...text.matchAll(/<tr><td><code>([^<]*)<\/code>/g)].map(([, name]) => name);

describe('the tensors of a release', () => {
  test('are listed as they lie, with dtype, shape, size, file and SHA-256', async () => {
    const { status, text, shown } = await page('/acme/tiny/v1/tensors');
    expect(status).toBe(200);
    expect(namesIn(text)).toEqual([
      'layers.0.up.weight',
      'layers.0.down.weight',
      'layers.1.up.weight',
      'layers.1.down.weight',
      'Head.weight',
      '&lt;b&gt;&amp;&quot;',
    ]);
    expect(text).toContain(`title="${digestOf(nodeHost, Uint8Array.of(1))}"`);
    expect(shown).toContain('Head.weight BF16 4 × 300 2.3 KiB sha256:');
    expect(shown).toContain('6 tensors in a.safetensors , as the');
  });

  test('tell their file where there are several', async () => {
    const { shown } = await page('/acme/sharded/v1/tensors');
    expect(shown).toContain('2 tensors in 2 files');
    expect(shown).toContain('b b.safetensors U8');
  });

  test('are summed by dtype', async () => {
    const { shown } = await page('/acme/tiny/v1/tensors');
    expect(shown).toContain('BF16 1 1.2 K 2.3 KiB U8 5 5 5 B together 6 1.2 K 2.3 KiB');
  });

  test('are searched by any part of their names, in whatever case', async () => {
    const { text, shown } = await page('/acme/tiny/v1/tensors?q=HEAD');
    expect(namesIn(text)).toEqual(['Head.weight']);
    expect(shown).toContain('1 of 6 have “HEAD” in their names');
    const nothing = await page('/acme/tiny/v1/tensors?q=%3Cscript%3E');
    expect(namesIn(nothing.text)).toEqual([]);
    expect(nothing.shown).toContain('No of 6 have “&lt;script&gt;”');
    expect(nothing.text).not.toContain('<script>');
  });

  test('come two hundred a page, in a search as well', async () => {
    const first = await page('/acme/many/v1/tensors');
    expect(namesIn(first.text)).toHaveLength(200);
    expect(first.text).toContain('href="/acme/many/v1/tensors?page=2"');
    expect(namesIn((await page('/acme/many/v1/tensors?page=3')).text)).toHaveLength(50);
    const search = await page('/acme/many/v1/tensors?q=t&page=2');
    expect(search.text).toContain('href="/acme/many/v1/tensors?q=t&amp;page=3"');
    expect((await page('/acme/many/v1/tensors?page=9')).shown).toContain('fewer pages');
  });

  test('are counted where the release is described, be they few or many', async () => {
    for (const [name, total] of [
      ['many', 450],
      ['sharded', 2],
    ] as const) {
      const { safetensors } = await served.api(`/../models/acme/${name}`);
      expect(safetensors).toEqual({ parameters: { U8: total }, total });
      expect((await page(`/acme/${name}/v1`)).shown).toContain(`Parameters ${total} (U8)`);
    }
  });

  test('that are none say so', async () => {
    expect((await page('/acme/words/v1/tensors')).shown).toContain('has no tensors');
    expect((await page('/acme/words/v9/tensors')).status).toBe(404);
  });
});

describe('the difference of two releases', () => {
  test('has the files and tensors that were changed, added and removed', async () => {
    const { shown, text } = await page('/acme/tiny/v2/diff?since=v1');
    expect(shown).toContain('Files 2 changed, 1 added, 0 the same');
    expect(shown).toContain('Tensors 1 changed, 1 added, 2 removed, 3 the same');
    expect(shown).toMatch(/a\.safetensors changed its tensors/);
    expect(shown).toMatch(/layers\.1\.down\.weight changed U8 1 /);
    expect(shown).toMatch(/extra added F32 scalar/);
    expect(shown).toMatch(/Head\.weight removed BF16 4 × 300/);
    expect(namesIn(text)).toHaveLength(4);
    expect(shown).toContain('weighhouse diff acme/tiny@v1 acme/tiny@v2');
  });

  test('has a picture of the layers, and the same in words', async () => {
    const { text, shown } = await page('/acme/tiny/v2/diff?since=v1');
    expect(text).toContain('<title>0: the same</title>');
    expect(text).toContain('<title>1: 50 % of its bytes, 1 of 2 tensors</title>');
    expect(text).toContain('<title>Head: removed</title>');
    expect(text).toContain('aria-label="layers, 0 to 1: 1 of 2 differ; the table below has each"');
    expect(shown).toMatch(/Layer Tensors Of them differ Bytes that differ Share 0 2 0 0 B 0 %/);
  });

  test('is with the release before it where none is named, and any can be chosen', async () => {
    const { text, shown } = await page('/acme/tiny/v2/diff');
    expect(shown).toContain('What changed v1 → v2');
    expect(text).toContain('<option selected>v1</option>');
    expect((await page('/acme/tiny/v1/diff?since=v2')).shown).toContain('What changed v2 → v1');
    expect((await page('/acme/tiny/v1/diff')).shown).toContain(
      'Nothing was released of this model',
    );
  });

  test('with itself is none', async () => {
    const { status, shown } = await page('/acme/tiny/v2/diff?since=v2');
    expect(status).toBe(200);
    expect(shown).toContain('nothing differs from itself');
  });

  test('with a version that is not there says which', async () => {
    for (const since of ['v9', 'a%20b', '..%2F..']) {
      const { status } = await page(`/acme/tiny/v2/diff?since=${since}`);
      expect([since, status]).toEqual([since, since === 'v9' ? 404 : 400]);
    }
    expect((await page('/acme/tiny/v2/diff?since=v9')).shown).toMatch(
      /acme\/tiny@v9 is not published/i,
    );
  });

  test('of releases without tensors has their files', async () => {
    const { shown } = await page('/acme/words/v2/diff?since=v1');
    expect(shown).toContain('README.md changed');
    expect(shown).toContain('v1 and v2 have no tensors');
  });
});

test.each(['/acme/tiny/v1/tensors?q=a', '/acme/tiny/v2/diff?since=v1'])(
  '%s has no script and no style in itself',
  async (path) => {
    const { text } = await page(path);
    expect(text).not.toMatch(/<script(?![^>]* src="\/-\/)|<style|\sstyle=|\son\w+=/);
  },
);
