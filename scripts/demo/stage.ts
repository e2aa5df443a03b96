/**
 * Where the demo plays: runs the commands that a person would type, shows each with its
 * output, and stops when one does not end as it should.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { styleText } from 'node:util';

export interface Shown {
  readonly status: number;
  readonly stdout: string;
}

/** What somebody's commands find in their environment. */
interface Role {
  readonly WEIGHHOUSE_TOKEN: string;
  readonly WEIGHHOUSE_KEY: string;
}

export class Stage {
  readonly #program: string;
  readonly #directory: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #cast = new Map<string, Role>();
  #speaker: string | undefined;
  #server: ChildProcess | undefined;
  /** Where the server listens, once it does. */
  url = '';

  /** Commands run in `directory`, with a configuration of their own. */
  constructor(program: string, directory: string, environment: NodeJS.ProcessEnv) {
    this.#program = program;
    this.#directory = directory;
    this.#environment = { ...process.env, ...environment };
  }

  title(text: string): void {
    console.log(`\n${styleText('bold', text)}`);
  }

  say(text: string): void {
    console.log(text);
  }

  /** Somebody who will type commands with a token and a key of their own. */
  cast(name: string, token: string, key: string): void {
    this.#cast.set(name, { WEIGHHOUSE_TOKEN: token, WEIGHHOUSE_KEY: key });
  }

  /** From here on `name` types; undefined is anybody. */
  as(name: string | undefined): this {
    this.#speaker = name;
    return this;
  }

  /**
   * Runs `weighhouse …` and shows it; `expected` is the exit status that it must have, `lines`
   * how much of a long output is shown.
   */
  run(args: readonly string[], { expected = 0, lines = 40 } = {}): Shown {
    this.#prompt(args);
    const { status, stdout, stderr } = spawnSync(process.execPath, [this.#program, ...args], {
      cwd: this.#directory,
      env: this.#env(),
      encoding: 'utf8',
    });
    const output = `${stderr}${stdout}`.trimEnd();
    if (output !== '') console.log(indent(shorten(output, lines)));
    if (status !== 0) console.log(indent(styleText('yellow', `exit status ${status}`)));
    if (status !== expected) {
      throw new Error(
        `weighhouse ${args[0]} ended with status ${status} where ${expected} was due`,
      );
    }
    return { status: status ?? -1, stdout };
  }

  /** Runs `weighhouse … --json` without showing it, and reads its answer. */
  ask(args: readonly string[]): Record<string, unknown> {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [this.#program, ...args, '--json'],
      {
        cwd: this.#directory,
        env: this.#env(),
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(`weighhouse ${args[0]} failed: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Starts the server, whose address all commands find from then on. */
  async serve(where: readonly string[]): Promise<string> {
    this.url = await this.#listening(['serve', ...where, '--listen', '127.0.0.1:0']);
    this.set('WEIGHHOUSE_URL', this.url);
    return this.url;
  }

  /** Ends the server. */
  end(): void {
    this.#server?.kill('SIGTERM');
  }

  /** Starts a server and waits until it says where it listens. */
  #listening(args: readonly string[]): Promise<string> {
    this.#prompt(args);
    const server = spawn(process.execPath, [this.#program, ...args], {
      cwd: this.#directory,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      let said = '';
      const listen = (chunk: Buffer) => {
        said += chunk;
        const url = /listening on (\S+)/.exec(said)?.[1];
        if (url === undefined) return;
        console.log(indent(`listening on ${url}`));
        server.removeAllListeners('exit');
        for (const stream of [server.stdout, server.stderr])
          stream.removeAllListeners('data').resume();
        resolve(url);
      };
      server.stdout.on('data', listen);
      server.stderr.on('data', listen);
      server.on('exit', (status) =>
        reject(new Error(`the server ended with status ${status}: ${said}`)),
      );
    });
  }

  set(name: string, value: string): void {
    this.#environment[name] = value;
    console.log(
      `${styleText('cyan', '$')} export ${name}=${value.length > 60 ? `${value.slice(0, 24)}…` : value}`,
    );
  }

  #env(): NodeJS.ProcessEnv {
    const role = this.#speaker === undefined ? undefined : this.#cast.get(this.#speaker);
    return { ...this.#environment, ...role };
  }

  #prompt(args: readonly string[]): void {
    const words = args.map((arg) =>
      arg.startsWith('/') ? relative(this.#directory, arg) || '.' : arg,
    );
    const who = this.#speaker === undefined ? '$' : `${this.#speaker} $`;
    console.log(`${styleText('cyan', who)} weighhouse ${words.map(quote).join(' ')}`);
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

/** At most so many lines, none longer than a wide terminal. */
function shorten(text: string, lines: number): string {
  const all = text.split('\n').map((line) => (line.length > 160 ? `${line.slice(0, 159)}…` : line));
  if (all.length <= lines) return all.join('\n');
  return [...all.slice(0, lines), `… ${all.length - lines} lines more`].join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
