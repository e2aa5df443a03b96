import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { findFile } from '../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { openRegistrySource } from '../../src/scrub/repair/registry-source.ts';
import { NO_PAUSES } from '../made/reader.ts';
import { Restricted, TERMS, WEIGHTS } from '../made/restricted.ts';

const RELEASE = parseReleaseName('acme/tiny@v1');

let restricted: Restricted;
beforeAll(async () => {
  restricted = await Restricted.start();
}, 120_000);
afterAll(() => restricted.served.stop());

/** What a repair gets of the weights with that token, and what it was told. */
async function ask(token?: string) {
  const { url, registry } = restricted.served;
  const told: string[] = [];
  const { signal } = new AbortController();
  const onRefused = (why: string) => told.push(why);
  const source = await openRegistrySource(url, { token, signal, pauses: NO_PAUSES, onRefused });
  const { manifest } = (await registry.release(RELEASE))!;
  const file = findFile(manifest, 'weights.bin')!;
  const range = { offset: 0, length: file.size };
  const parts: Uint8Array[] = [];
  try {
    for await (const part of (await source.content(
      file.sha256,
      { release: RELEASE, file },
      range,
    ))!) {
      parts.push(part);
    }
    return { bytes: Buffer.concat(parts), told };
  } catch (error) {
    return { error, told };
  } finally {
    source.close?.();
  }
}

test('a repair hears why a registry keeps back what it has, and gets it with a reader’s token', async () => {
  expect(await ask()).toMatchObject({
    error: { code: 'not-authorised' },
    told: [expect.stringContaining(TERMS.url)],
  });
  expect(await ask(await restricted.reader())).toEqual({
    bytes: Buffer.from(utf8(WEIGHTS)),
    told: [],
  });
});
