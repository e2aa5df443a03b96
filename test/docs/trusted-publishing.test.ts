/** What docs/trusted-publishing.md shows, read out of the page: it is taken as it stands there. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { parseIssuers } from '../../src/oidc/issuers.ts';
import { type Home, makeHome } from '../cli/command-line.ts';

const page = readFileSync(new URL('../../docs/trusted-publishing.md', import.meta.url), 'utf8');
const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)\\n\`\`\`$`, 'm').exec(page)![1]!;

let home: Home;
beforeAll(async () => {
  home = await makeHome();
  await home.json(
    'init',
    ...['--store', home.path('store'), '--keys', home.path('keys')],
    ...['--origin', 'weights.example', '--namespace', 'acme', '--no-passphrase'],
  );
}, 30_000);
afterAll(() => home.remove());

test('the list of issuers is one', () => {
  expect(parseIssuers(utf8(block('json')), 'the page', false)).toHaveLength(2);
});

test('the operator’s commands do what they say', async () => {
  const lines = block('sh').replaceAll('\\\n', ' ').split('\n');
  expect(lines).toHaveLength(3);
  let id = '';
  for (const line of lines) {
    const [, , ...words] = line.trim().split(/\s+/);
    const argv = words.map((word) => word.replace('./data/store', home.path('store')));
    const done = await home.json(...argv.map((word) => (word === 'ID' ? id : word)));
    id = (done.id as string | undefined) ?? id;
  }
  const left = ['namespace', 'trusted-publishers', 'acme', '--store', home.path('store')];
  expect(await home.json(...left)).toEqual({ namespace: 'acme', publishers: [] });
});
