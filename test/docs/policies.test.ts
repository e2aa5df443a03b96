/** The templates in keys/policies: each becomes a namespace by the commands of their page. */
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatCanonical, parseJson } from '../../src/core/json.ts';
import { checkEnrolments } from '../../src/core/release/enrolment.ts';
import { parsePolicy } from '../../src/core/release/policy.ts';
import { isGated } from '../../src/core/release/requirements.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type Home, makeHome } from '../cli/command-line.ts';

const folder = new URL('../../keys/policies/', import.meta.url);
const NAMES = ['frontier-lab', 'small-lab', 'solo'];

let home: Home;
beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

test('the page names every template', async () => {
  const page = await readFile(new URL('README.md', folder), 'utf8');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  expect(files).toEqual(NAMES.map((name) => `${name}.json`));
  for (const file of files) expect(page).toContain(`(${file})`);
});

test.each(NAMES)('%s is a policy once everyone has enrolled a key', async (name) => {
  const file = home.path(`${name}.json`);
  await copyFile(new URL(`${name}.json`, folder), file);
  const { people } = JSON.parse(await readFile(file, 'utf8')) as { people: { id: string }[] };
  for (const { id } of people) {
    const key = home.path(`${name}-${id}.key`);
    await home.json('key', 'new', key, '--no-passphrase');
    const where = ['--origin', 'models.example.org', '--namespace', 'acme', '--person', id];
    // Twice is as good as once.
    await home.json('key', 'enroll', key, ...where, '--into', file);
    await home.json('key', 'enroll', key, ...where, '--into', file);
  }
  const bytes = new Uint8Array(await readFile(file));
  const policy = parsePolicy(formatCanonical(parseJson(bytes, file)));
  expect(await checkEnrolments(nodeHost, policy)).toMatchObject({ ok: true });
  expect(policy.people.every(({ keys }) => keys.length === 1)).toBe(true);
  expect(isGated(policy.gate)).toBe(name !== 'solo');
});

test('a key is put into no policy of another namespace, and of nobody who is not in it', async () => {
  const file = home.path('solo.json');
  const key = home.path('solo-ada.key');
  const enroll = ['key', 'enroll', key, '--into', file, '--origin', 'models.example.org'];
  const other = await home.run(...enroll, '--namespace', 'zoo', '--person', 'ada');
  expect(other.status).toBe(20);
  const nobody = await home.run(...enroll, '--namespace', 'acme', '--person', 'zed');
  expect(nobody.status).toBe(20);
});
