/** The command line as a process of its own: what only the real entry point can show. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Home, makeHome } from './command-line.ts';

const ENTRY = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));

let home: Home;
beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

interface Running {
  readonly child: ChildProcess;
  said(): { stdout: string; stderr: string };
  hears(text: string): Promise<void>;
  /** Exit status. */
  readonly ended: Promise<number | null>;
}

function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [ENTRY, ...argv], {
    env: { PATH: process.env.PATH, ...home.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const heard = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.on('data', (chunk) => {
      heard[name] += String(chunk);
    });
  }
  const ended = once(child, 'close').then(([status]) => status as number | null);
  return {
    child,
    said: () => heard,
    async hears(text) {
      const heardIt = () => heard.stdout.includes(text) || heard.stderr.includes(text);
      while (!heardIt()) {
        await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data'), ended]);
        if (child.exitCode !== null && !heardIt()) throw new Error(`it ended: ${heard.stderr}`);
      }
    },
    ended,
  };
}

async function runProcess(...argv: string[]) {
  const running = start(argv);
  return { status: await running.ended, ...running.said() };
}

describe('the process', () => {
  test('--version is the package’s', async () => {
    const ran = await runProcess('--version');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('failures have their exit status, and one document with --json', async () => {
    const ran = await runProcess('inspect', home.path('nothing'), '--json');
    expect(ran.status).toBe(4);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'not-found' } });
    expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(ran.stderr).toMatch(/^error: /);
  });

  test('who closes the pipe early does not get a stack trace', async () => {
    const running = start(['--help']);
    running.child.stdout!.destroy();
    await running.ended;
    expect(running.said().stderr).toBe('');
  });

  test('start makes a registry on first use, serves it, and ends with 0 on SIGTERM', async () => {
    const argv = ['start', '--data', home.path('data'), '--listen', '127.0.0.1:0'];
    const first = start(argv);
    await first.hears('listening on ');
    const url = /listening on (\S+)/.exec(first.said().stdout)![1]!;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(first.said().stderr).toContain('fingerprint is sha256:');
    expect(first.said().stderr).toContain('export WEIGHHOUSE_TOKEN=');
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    const second = start(argv);
    await second.hears('listening on ');
    expect(second.said().stderr).not.toContain('fingerprint is');
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
  }, 30_000);

  test('a server whose port is taken says so and ends, with all that it had begun', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const at = ['--store', home.path('taken'), '--keys', home.path('taken-keys')];
    const named = ['--origin', 'taken.example', '--root-key', home.path('taken-root.key')];
    await runProcess('init', ...at, ...named, '--no-passphrase');
    const listen = ['--listen', `127.0.0.1:${port}`];
    const { status, stderr } = await runProcess('serve', ...at, ...listen);
    other.close();
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}`);
    expect(status).toBe(5);
  });

  test('Ctrl-C ends what waits with 130', async () => {
    const silent = (await import('node:net')).createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const connected = once(silent, 'connection');
    const running = start(['list', '--url', `http://127.0.0.1:${port}`]);
    const [socket] = (await connected) as [{ destroy(): void }];
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(130);
    expect(running.said().stderr).toMatch(/^error: stopped/);
    socket.destroy();
    silent.close();
  });
});
