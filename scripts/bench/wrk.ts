/** wrk, which asks servers for the same paths again and again over kept connections. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SECONDS = 5;
const CONNECTIONS = 64;

export class Wrk {
  readonly #program: string;
  readonly #folder: string;

  /** `folder` takes the list of paths. */
  constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Answers a second of all `servers` together, each of which is asked for `paths` in turn. */
  async rate(servers: readonly string[], paths: readonly string[]): Promise<number> {
    const script = join(this.#folder, 'paths.lua');
    writeFileSync(script, askingFor(paths));
    const connections = Math.floor(CONNECTIONS / servers.length);
    const load = [
      '-t',
      '1',
      '-c',
      String(connections),
      '-d',
      `${SECONDS}s`,
      '--timeout',
      '10s',
      '-s',
      script,
    ];
    const rates = servers.map(async (server) => {
      const { stdout } = await promisify(execFile)(this.#program, [...load, server]);
      return rateOf(stdout);
    });
    return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
  }
}

function askingFor(paths: readonly string[]): string {
  const list = paths.map((path) => JSON.stringify(path)).join(', ');
  return `
    local paths, asked = { ${list} }, 0
    function request()
      asked = asked + 1
      return wrk.format("GET", paths[asked % #paths + 1])
    end`;
}

function rateOf(report: string): number {
  const rate = /^Requests\/sec:\s+([0-9.]+)$/m.exec(report)?.[1];
  if (rate === undefined || /Non-2xx|Socket errors/.test(report)) {
    throw new Error(`wrk was not answered as it should be: ${report}`);
  }
  return Number(rate);
}
