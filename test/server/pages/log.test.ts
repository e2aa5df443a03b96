import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatHex } from '../../../src/core/bytes.ts';
import { formatDigest } from '../../../src/core/digest.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { ENTRIES_A_PAGE } from '../../../src/server/pages/log-pages.ts';
import { rawGet, statusOf } from '../../made/raw-http.ts';
import { Served } from '../../made/served.ts';

let served: Served;
let digest: string;
let advised: number;
beforeAll(async () => {
  served = await Served.start();
  const release = await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  digest = release.digest;
  const about = 'Broken: <script>alert(1)</script> & "more"';
  ({ index: advised } = await served.advise('acme/tiny@v1', release.digest, 'recalled', about));
  // More than one page, and not a multiple of it.
  for (let i = 0; (await size()) <= ENTRIES_A_PAGE + 1; i++) {
    await served.createNamespace(`more-${i}`);
  }
});
afterAll(() => served.stop());

async function size(): Promise<number> {
  return (await served.log.published()).size;
}

async function page(path: string) {
  const response = await served.fetch(path, { headers: { Accept: 'text/html' } });
  const text = await response.text();
  return { status: response.status, text, words: text.replaceAll(/<[^>]+>/g, '') };
}

/** The indexes of the entries that a page lists. */
function listed(text: string): number[] {
  const links = text.matchAll(/<a class="index" href="\/-\/log\/(\d+)"/g);
  return [...links].map(([, index]) => Number(index));
}

describe('the page of the log', () => {
  test('shows the checkpoint in words and verbatim, and how to audit it', async () => {
    const { status, text, words } = await page('/-/log');
    const { note, root } = await served.log.published();
    expect(status).toBe(200);
    expect(words).toContain(formatDigest(root));
    expect(words).toContain(Buffer.from(note).toString());
    expect(words).toContain(served.vkey);
    expect(words).toContain(`weighhouse audit ${served.url}`);
    expect(words).toContain('nobody beside the registry has cosigned');
    expect(text).toContain('<svg viewBox="0 0 1000 1000"');
    expect(text).toContain('<polyline class="line"');
  });

  test('lists all entries exactly once, newest first, over its pages', async () => {
    const found: number[] = [];
    let path: string | undefined = '/-/log';
    while (path !== undefined) {
      const { text } = await page(path);
      const some = listed(text);
      expect(some.length).toBeLessThanOrEqual(ENTRIES_A_PAGE);
      found.push(...some);
      path = /<a href="(\/-\/log\?before=\d+)" rel="next"/.exec(text)?.[1];
    }
    const all = Array.from({ length: await size() }, (_, i) => i);
    expect(found).toEqual(all.reverse());
  });

  test('has a page of older entries that ends at the limit, and none beyond it', async () => {
    const first = await page(`/-/log?before=${ENTRIES_A_PAGE}`);
    expect(listed(first.text)).toHaveLength(ENTRIES_A_PAGE);
    expect(first.text).not.toContain('rel="next"');
    const second = await page(`/-/log?before=${ENTRIES_A_PAGE + 1}`);
    expect(second.text).toContain('?before=1" rel="next"');
    for (const beyond of [0, await size(), 10 ** 14, -1, 'x']) {
      const { text } = await page(`/-/log?before=${beyond}`);
      expect(listed(text)[0]).toBe((await size()) - 1);
    }
  });

  test('escapes what publishers wrote', async () => {
    const { text } = await page(`/-/log?before=${advised + 1}`);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).not.toContain('<script>alert');
  });
});

describe('the page of an entry', () => {
  test('shows every entry with a way that leads to the root of the checkpoint', async () => {
    const { root, size: count } = await served.log.published();
    for (const index of [0, 1, 2, advised, count - 1]) {
      const { status, words, text } = await page(`/-/log/${index}`);
      expect(status).toBe(200);
      const leaf = leafHash(nodeHost, await served.log.entry(index));
      expect(words).toContain(formatDigest(leaf));
      expect(words).toContain(formatDigest(root));
      const given = await served.log.inclusionProof(index);
      for (const hash of given) expect(words).toContain(formatHex(hash));
      expect(text.match(/<g class="given">/g)).toHaveLength(given.length);
      const proof = Buffer.from(await served.log.tlogProof(index)).toString();
      expect(words).toContain(proof);
    }
  });

  test('of a release links what it names', async () => {
    const index = (await served.api('/releases/acme/tiny/v1')).index as number;
    const { text, words } = await page(`/-/log/${index}`);
    expect(text).toContain('href="/acme/tiny/v1"');
    expect(text).toContain('href="/api/v1/releases/acme/tiny/v1/model.sig"');
    expect(text).toContain(`href="/-/log/${index + 1}"`);
    expect(words).toContain(digest);
    expect((await page(`/-/log/${index + 1}`)).words).toContain('The record of a signature');
  });

  test('leads to the bundle that has its exact bytes', async () => {
    const { text } = await page(`/-/log/${advised}`);
    const [, file = ''] = /href="(\/log\/tile\/entries\/[^"]+)"/.exec(text) ?? [];
    const bundle = Buffer.from(await (await served.fetch(file)).arrayBuffer());
    expect(bundle.includes(Buffer.from(await served.log.entry(advised)))).toBe(true);
  });

  test('has neither style nor script in itself', async () => {
    for (const path of ['/-/log', `/-/log/${advised}`, '/-/log?before=9']) {
      const { text } = await page(path);
      expect(text).not.toMatch(/<script(?![^>]* src="\/-\/)|<style|\sstyle=|\son\w+=/);
    }
  });

  test('is not there beyond the published tree, nor for what is no index', async () => {
    for (const index of [await size(), 2 ** 52, '-1', '01', '1.5', 'x']) {
      expect((await page(`/-/log/${index}`)).status).toBe(404);
    }
  });

  test('is not sent twice to who has it', async () => {
    const response = await served.fetch('/-/log/0', { headers: { Accept: 'text/html' } });
    const tag = response.headers.get('etag') ?? '';
    expect(statusOf(await rawGet(served.port, '/-/log/0', [`If-None-Match: ${tag}`]))).toBe(304);
  });
});
