/**
 * docs/restored-backup.md, read out of the page and typed line by line: a store that was put
 * back to an older copy is refused, and served again once a newer copy has filled it up.
 */
import { cp, rename, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Ended, type Made, Sandbox } from './sandbox.ts';
import { linesToType } from './typed-page.ts';

/** The lines to type, by the heading under which they stand. */
const sections = linesToType('restored-backup.md');

let sandbox: Sandbox;
let made: Made;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  await sandbox.install();
  made = await sandbox.init('acme');
});
afterAll(() => sandbox.remove());

/** Types a line, the words in capitals filled in. */
function type(line: string, filled: Readonly<Record<string, string>> = {}): Promise<Ended> {
  let typed = line;
  for (const [word, value] of Object.entries(filled)) typed = typed.replaceAll(word, value);
  return sandbox.spawn('sh', ['-c', typed]).ended;
}

/** Types all lines of a section that are no server's; every one must succeed. */
async function typeAll(heading: string, filled: Readonly<Record<string, string>> = {}) {
  const said: string[] = [];
  for (const line of sections.get(heading)!) {
    if (/ serve | audit /.test(line)) continue;
    const { status, stdout, stderr } = await type(line, filled);
    expect({ line, status, stderr }).toMatchObject({ status: 0 });
    said.push(stdout);
  }
  return said;
}

test('a store that was put back is refused, with what to do; a newer copy makes it whole again', async () => {
  let server = await sandbox.serve();
  await sandbox.trust(made);
  await sandbox.publish('acme/tiny@1', { 'config.json': '{}\n' });
  await server.stop();
  await cp(sandbox.path('store'), sandbox.path('backup'), { recursive: true });
  server = await sandbox.serve();
  const port = new URL(server.url).host;
  await sandbox.json('trust', 'add', server.url, '--fingerprint', made.fingerprint);
  const { index } = await sandbox.publish('acme/tiny@2', { 'config.json': '{"v":2}\n' });
  await server.stop();
  await rename(sandbox.path('store'), sandbox.path('newer'));
  await cp(sandbox.path('backup'), sandbox.path('store'), { recursive: true });

  const refused = await sandbox.startServer().listening.catch((error: Error) => error);
  expect(String(refused)).toMatch(/was restored from an older copy/);
  expect(String(refused)).toMatch(/docs\/restored-backup\.md/);

  await typeAll('Stop and save');
  const [remembered, stored] = await typeAll('Show the two checkpoints');
  const sizeOf = (note: string) => Number(note.split('\n').find((line) => /^\d+$/.test(line)));
  expect(sizeOf(remembered!)).toBeGreaterThan(index);
  expect(sizeOf(stored!)).toBeLessThanOrEqual(index);

  const [differences] = await typeAll('Put back what is missing', { NEWER: 'newer' });
  expect(differences).toContain('Only in newer');
  const serve = sections.get('Put back what is missing')!.find((line) => line.includes(' serve '));
  const [, ...flags] = serve!.replace('127.0.0.1:8080', port).split(' ');
  const again = sandbox.start(...flags);
  const listening = new Promise<void>((resolve) => {
    again.child.stdout!.on('data', (text: string) => {
      if (/listening on/.test(text)) resolve();
    });
  });
  await Promise.race([
    listening,
    again.ended.then(({ stderr }) => {
      throw new Error(`it did not start: ${stderr}`);
    }),
  ]);
  const audit = sections.get('Put back what is missing')!.find((line) => line.includes(' audit '));
  expect(await type(audit!)).toMatchObject({ status: 0 });
  await sandbox.json('pull', 'acme/tiny@2', 'pulled');
  again.child.kill('SIGTERM');
  await again.ended;
}, 120_000);

test('where nobody has a newer copy another registry begins, under another origin', async () => {
  await rm(sandbox.path('newer'), { recursive: true });
  await typeAll('Give the log up', { 'NEW.ORIGIN': 'again.test' });
  const same = [
    '--store',
    'store-2',
    '--keys',
    'keys',
    '--index',
    'index',
    '--listen',
    '127.0.0.1:0',
  ];
  // The keys of the log that has ended serve no other store.
  const { status, stderr } = await sandbox.run('serve', ...same);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/weights\.test/);
}, 60_000);
