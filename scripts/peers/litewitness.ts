/**
 * litewitness (filippo.io/torchwood) as a real C2SP tlog-witness for tests and trials: one
 * process on loopback, its key, name and memory in one directory. It is built once from the
 * Go module proxy into the user's cache; needs go, ssh-agent, ssh-add and ssh-keygen.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { installFromGo } from './install.ts';

const run = promisify(execFile);

const VERSION = '0.9.0';
const READY_WITHIN_MS = 10_000;
/** The root of a log that the witness has seen nothing of: SHA-256(""), in base64. */
const EMPTY_ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

export interface Litewitness {
  readonly url: string;
  /** Its cosignature key, as a policy names it. */
  readonly vkey: string;
  stop(): Promise<void>;
}

/** The log that it shall watch. */
export interface WatchedLog {
  readonly origin: string;
  readonly vkey: string;
}

/** Builds the program once; resolves to its path. */
export function installLitewitness(): Promise<string> {
  const program = `filippo.io/torchwood/cmd/litewitness@v${VERSION}`;
  return installFromGo(`litewitness-v${VERSION}`, program);
}

/** Starts the witness that lives in `directory`: the same one each time. */
export async function startLitewitness(directory: string, log: WatchedLog): Promise<Litewitness> {
  const program = await installLitewitness();
  const key = await makeKey(directory);
  const agent = spawn('ssh-agent', ['-D', '-a', 'agent.sock'], { cwd: directory, stdio: 'ignore' });
  try {
    await until(() => isThere(join(directory, 'agent.sock')), 'ssh-agent');
    const env = { ...process.env, SSH_AUTH_SOCK: 'agent.sock' };
    await run('ssh-add', ['-q', 'key'], { cwd: directory, env });
    return await startServer(program, directory, key, log, agent);
  } catch (error) {
    await end(agent);
    throw error;
  }
}

/** Makes the key if there is none; resolves to its fingerprint, by which the witness finds it. */
async function makeKey(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const options = { cwd: directory };
  // A killed agent leaves its socket behind, and the next could not open its own.
  await rm(join(directory, 'agent.sock'), { force: true });
  if (!(await isThere(join(directory, 'key')))) {
    await run(
      'ssh-keygen',
      ['-q', '-t', 'ed25519', '-N', '', '-C', 'witness', '-f', 'key'],
      options,
    );
  }
  const { stdout } = await run('ssh-keygen', ['-l', '-E', 'sha256', '-f', 'key.pub'], options);
  return stdout.split(' ')[1]!;
}

async function startServer(
  program: string,
  directory: string,
  key: string,
  log: WatchedLog,
  agent: ChildProcess,
): Promise<Litewitness> {
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const files = ['-key', key, '-ssh-agent', 'agent.sock', '-db', 'witness.db'];
  const flags = ['-name', 'lite.witness.example', ...files, '-listen', listen];
  const server = spawn(program, flags, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const stop = async () => {
    await end(server);
    await end(agent);
  };
  try {
    const vkey = () => /msg="verifier key" vkey="?([^" \n]+)/.exec(said)?.[1];
    await until(async () => vkey() !== undefined && (await answers(listen)), 'litewitness');
    watch(join(directory, 'witness.db'), log);
    return { url: `http://${listen}`, vkey: vkey()!, stop };
  } catch (error) {
    await stop();
    throw new Error(`litewitness did not start: ${said}`, { cause: error });
  }
}

/** What its own `witnessctl add-log` and `add-key` write. It reads the rows at each request. */
function watch(database: string, { origin, vkey }: WatchedLog): void {
  const db = new DatabaseSync(database, { timeout: 5000 });
  db.prepare('INSERT OR IGNORE INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)').run(
    origin,
    EMPTY_ROOT,
  );
  const known = db.prepare('SELECT 1 FROM key WHERE origin = ? AND key = ?').get(origin, vkey);
  if (known === undefined) {
    db.prepare('INSERT INTO key (origin, key) VALUES (?, ?)').run(origin, vkey);
  }
  db.close();
}

async function answers(listen: string): Promise<boolean> {
  return fetch(`http://${listen}/`).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not start in time`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
