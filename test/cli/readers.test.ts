/** The command line at a registry that keeps bytes for readers, with a token of one and without. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Loose } from '../made/loose.ts';
import { FOR_READERS, RELEASE_FILES, Restricted, TERMS, WEIGHTS } from '../made/restricted.ts';
import { SMALL } from '../made/weights.ts';
import { type Home, makeHome } from './command-line.ts';

const ASK = `who have accepted ${TERMS.name} (${TERMS.url}): ask acme for one, and show it`;

let restricted: Restricted;
let home: Home;
let reader: string;

beforeAll(async () => {
  restricted = await Restricted.start();
  const { served } = restricted;
  await served.publish('acme/small@v1', SMALL);
  reader = await restricted.reader();
  home = await makeHome();
  await home.json('trust', 'add', served.url, '--fingerprint', served.fingerprint);
  home.env.WEIGHHOUSE_URL = served.url;
}, 120_000);
afterAll(async () => {
  await restricted.served.stop();
  await home.remove();
});

const failure = async (...argv: string[]) => {
  const { status, stdout } = await home.run(...argv, '--json');
  return { status, ...(JSON.parse(stdout) as Loose).error };
};

describe('without a token', () => {
  test('pull says whose the bytes are, under which terms, and where the token goes', async () => {
    expect(await failure('pull', 'acme/tiny@v1', home.path('none'))).toMatchObject({
      status: 3,
      code: 'not-authorised',
      message: expect.stringMatching(/^the files of acme\/tiny@v1 are for holders of a token/),
      details: { bytes: FOR_READERS, namespace: 'acme' },
    });
    const { stderr } = await home.run('pull', 'acme/tiny@v1', home.path('none'));
    expect(stderr).toContain(`${ASK} with --token or WEIGHHOUSE_TOKEN`);
    const left = await readdir(home.path('none')).catch(() => []);
    expect(left.filter((name) => name in RELEASE_FILES && name !== 'README.md')).toEqual([]);
  });

  test('the documents that one reads before are pulled', async () => {
    const folder = home.path('open');
    await home.json('pull', 'acme/tiny@v1', folder, '--include', 'README.md');
    expect(await readFile(home.path('open', 'README.md'), 'utf8')).toBe(RELEASE_FILES['README.md']);
  });

  test('show says for whom the bytes are', async () => {
    expect(await home.json('show', 'acme/tiny@v1')).toMatchObject({ bytes: FOR_READERS });
    const { stdout } = await home.run('show', 'acme/tiny@v1');
    expect(stdout).toContain(
      `for holders of a token with the role reader, who have accepted ${TERMS.name} (${TERMS.url})`,
    );
  });

  test('inspect reads no header, and says why; diff needs none', async () => {
    expect(await failure('inspect', 'acme/small@v1')).toMatchObject({ status: 3 });
    const { stderr } = await home.run('inspect', 'acme/small@v1');
    expect(stderr).toContain(`${ASK} with --token or WEIGHHOUSE_TOKEN`);
    expect(await home.json('diff', 'acme/small@v1', 'acme/small@v1')).toMatchObject({
      changed: [],
    });
  });

  test('audit finds no violation; of the content it says that it was not read, and ends with 3', async () => {
    expect(await home.json('audit')).toMatchObject({ ok: true, releases: 2, unread: [] });
    const { status, stdout, stderr } = await home.run('audit', '--content', '--json');
    expect([status, JSON.parse(stdout)]).toEqual([
      3,
      expect.objectContaining({ ok: true, violations: [] }),
    ]);
    const { unread } = JSON.parse(stdout) as Loose;
    expect(unread.map(({ release }: Loose) => release).sort()).toEqual([
      'acme/small@v1',
      'acme/tiny@v1',
    ]);
    expect(stderr).toContain('the content of acme/tiny@v1 was not read: the files of');
  });

  test('import says what the other registry said', async () => {
    home.env.WEIGHHOUSE_TOKEN = restricted.served.publisher;
    try {
      const from = ['import', 'hf://acme/tiny@v1', 'acme/copy@1'];
      const { status, stderr } = await home.run(...from, '--endpoint', restricted.served.url);
      expect([status, stderr]).toEqual([3, expect.stringContaining(TERMS.url)]);
      expect(stderr).toContain('--source-token-file');
    } finally {
      delete home.env.WEIGHHOUSE_TOKEN;
    }
  });
});

describe('with a reader’s token', () => {
  test('pull gets everything, verify --online needs it no more', async () => {
    const folder = home.path('all');
    await home.json('pull', 'acme/tiny@v1', folder, '--token', reader);
    expect(await readFile(home.path('all', 'weights.bin'), 'utf8')).toBe(WEIGHTS);
    expect(await home.json('verify', folder, '--full', '--online')).toMatchObject({ ok: true });
  });

  test('inspect reads the headers, audit all of the content', async () => {
    expect(await home.json('inspect', 'acme/small@v1', '--token', reader)).toMatchObject({
      reference: 'acme/small@v1',
    });
    const report = await home.json('audit', '--content', '--token', reader);
    expect(report).toMatchObject({ ok: true, unread: [] });
  });

  test('import takes the bytes by either protocol', async () => {
    home.env.WEIGHHOUSE_TOKEN = restricted.served.publisher;
    await writeFile(home.path('reader.token'), `${reader}\n`);
    const { url } = restricted.served;
    const show = ['--source-token-file', home.path('reader.token')];
    try {
      const hub = ['import', 'hf://acme/tiny@v1', 'acme/by-hub@1', '--endpoint', url];
      expect(await home.json(...hub, ...show)).toMatchObject({ files: 3 });
      const oci = ['import', `${url.replace('http', 'oci')}/acme/tiny:v1`, 'acme/by-oci@1'];
      expect(await home.json(...oci, ...show)).toMatchObject({ files: 3 });
    } finally {
      delete home.env.WEIGHHOUSE_TOKEN;
    }
  });
});

test('a token of another namespace is told that it is none, and not to give one', async () => {
  const { token } = await restricted.served.token({
    roles: ['reader'],
    namespace: 'other',
    subject: 'mo',
  });
  const { status, message } = await failure(
    'pull',
    'acme/tiny@v1',
    home.path('no'),
    '--token',
    token,
  );
  expect([status, message]).toEqual([
    3,
    expect.stringMatching(/that of mo is none; ask acme for one$/),
  ]);
});
