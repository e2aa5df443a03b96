/**
 * The commands of README.md, "Your first own release", read out of the page and run as they
 * stand there. What asks a person at a terminal is told that there is none; then it names the
 * flag that a script gives, and takes it.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/peers/free-port.ts';
import { type Ended, PROGRAM, Sandbox, ServerProcess } from './sandbox.ts';

const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [, section] = /^## Your first own release\n([\s\S]*?)^## /m.exec(page)!;
const lines = [...section!.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  .flatMap(([, block]) => block!.replaceAll('\\\n', ' ').trimEnd().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').replace(/\s+/g, ' '));

let sandbox: Sandbox;
let server: ServerProcess;
let port: number;
let token: string;
let fingerprint: string;
let digest: string;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  port = await freePort();
  sandbox.env.WEIGHHOUSE_PASSPHRASE = 'a passphrase for the test';
  await sandbox.write('my-model', { 'README.md': '# Mine\n', 'config.json': '{}\n' });
  // "npx" of the checkout, but from a folder of our own.
  await sandbox.install({ npx: `shift\nexec "${process.execPath}" "${PROGRAM}" "$@"` });
});

afterAll(async () => {
  await server?.stop();
  await sandbox?.remove();
});

/** The line of the page that begins so. Every line is to be run once. */
function typed(beginning: string): string {
  const at = lines.findIndex((line) => line.startsWith(beginning));
  if (at < 0) throw new Error(`README.md has no line ${beginning}…`);
  return lines.splice(at, 1)[0]!.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`);
}

/** Runs a line in a shell, with more flags at its end. */
function shell(line: string, ...flags: readonly string[]) {
  return sandbox.spawn('sh', ['-c', ['exec', line, ...flags].join(' ')]);
}

async function succeed(line: string, ...flags: readonly string[]): Promise<Ended> {
  const ended = await shell(line, ...flags).ended;
  expect(ended).toMatchObject({ status: 0 });
  return ended;
}

describe('README.md, "Your first own release"', () => {
  test('init prints fingerprint and token', async () => {
    const { stdout } = await succeed(typed('npx weighhouse init'));
    [, fingerprint] = /(sha256:[0-9a-f]{64})/.exec(stdout) as unknown as [string, string];
    [, token] = /^token +(\S+)$/m.exec(stdout) as unknown as [string, string];
  }, 30_000);

  test('serve listens where it is told', async () => {
    server = await ServerProcess.untilListening(shell(typed('npx weighhouse serve')));
    expect(server.url).toBe(`http://127.0.0.1:${port}`);
  }, 30_000);

  test('push, status and publish', async () => {
    const [, url] = /^export WEIGHHOUSE_URL=(\S+) WEIGHHOUSE_TOKEN=…$/.exec(typed('export'))!;
    Object.assign(sandbox.env, { WEIGHHOUSE_URL: url, WEIGHHOUSE_TOKEN: token });
    const { stdout } = await succeed(typed('npx weighhouse push'));
    [, digest] = /(sha256:[0-9a-f]{64})/.exec(stdout) as unknown as [string, string];
    expect((await succeed(typed('npx weighhouse status'))).stdout).toContain(digest);
    const publish = typed('npx weighhouse publish');
    const asked = await shell(publish).ended;
    expect(asked.status).toBe(2);
    expect(asked.stderr).toContain('--digest');
    await succeed(publish, '--digest', digest);
  }, 30_000);

  test('trust, pull, verify and audit', async () => {
    const trust = typed('npx weighhouse trust add');
    const asked = await shell(trust).ended;
    expect(asked.status).toBe(11);
    expect(asked.stderr).toContain(fingerprint);
    expect(asked.stderr).toContain('--fingerprint');
    await succeed(trust, '--fingerprint', fingerprint);
    for (const command of ['pull', 'verify', 'audit']) {
      await succeed(typed(`npx weighhouse ${command}`));
    }
  }, 30_000);

  test('that was all of it', () => {
    expect(lines).toEqual([]);
  });
});
