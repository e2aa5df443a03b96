/** nginx with one worker over files, to measure beside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../peers/free-port.ts';

export interface NginxOptions {
  /** What nginx writes lies below it. */
  readonly parent: string;
  /** What its `server` block says, but for `listen`. */
  readonly server: string;
  /** A path that is answered with 200. */
  readonly probe: string;
}

export class Nginx {
  /** Without a slash at its end. */
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  static async start(program: string, { parent, server, probe }: NginxOptions): Promise<Nginx> {
    const folder = join(parent, 'nginx');
    mkdirSync(folder);
    const port = await freePort();
    writeFileSync(join(folder, 'nginx.conf'), configuration(folder, server, port));
    const options = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'errors')];
    const started = spawn(program, options, { stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}`;
    await answering(`${url}/${probe}`);
    return new Nginx(url, started);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
  }
}

function configuration(folder: string, server: string, port: number): string {
  // Workers of a root process change to a user that may not read a temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `
    daemon off; worker_processes 1; pid ${join(folder, 'pid')}; ${user}
    events { worker_connections 256; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
      default_type application/octet-stream;
      server { listen 127.0.0.1:${port}; ${server} }
    }`;
}

/** Returns when something answers at `url`; gives up after some two seconds. */
async function answering(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const response = await fetch(url, { method: 'HEAD' });
      if (response.ok) return;
      throw new Error(`${url} answers ${response.status}`);
    } catch (error) {
      if (tries === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
