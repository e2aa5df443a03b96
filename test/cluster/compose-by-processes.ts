/**
 * Carries out the `docker compose …` commands of docs/operations.md with processes of this
 * machine: what docker-compose.yml names is started by `scripts/cluster`, on the secrets and the
 * folders that the page has made.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { startBalancer } from '../../scripts/cluster/balancer.ts';
import { outside } from '../../scripts/cluster/environment.ts';
import type { ClusterProcess } from '../../scripts/cluster/process.ts';
import { PROGRAM, RegistryServer } from '../../scripts/cluster/server.ts';
import { installAwsCli } from '../../scripts/peers/aws-cli.ts';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';

const ROOT = new URL('../../', import.meta.url);
const COMPOSE = parse(readFileSync(new URL('docker-compose.yml', ROOT), 'utf8'), { merge: true });

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class ComposeByProcesses {
  readonly #folder: string;
  readonly #url: string;
  readonly #ports: readonly number[];
  readonly #servers = new Map<string, RegistryServer>();
  #bucket: Seaweedfs | undefined;
  #balancer: ClusterProcess | undefined;
  readonly #control: Server;

  /** `ports`: of the balancer's administration and of each server. */
  constructor(folder: string, url: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#url = url;
    this.#ports = ports;
    this.#control = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      response.end(JSON.stringify(await this.#answer(JSON.parse(body))));
    });
  }

  /** A program `docker`, as a Node module, that has its commands carried out here. */
  async program(): Promise<string> {
    await new Promise<void>((ready) => this.#control.listen(0, '127.0.0.1', ready));
    const { port } = this.#control.address() as AddressInfo;
    return `
const body = JSON.stringify(process.argv.slice(2));
const response = await fetch('http://127.0.0.1:${port}', { method: 'POST', body });
const { status, stdout, stderr } = await response.json();
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = status;
`;
  }

  async stop(): Promise<void> {
    this.#control.close();
    await this.#balancer?.signal('SIGKILL');
    for (const server of this.#servers.values()) await server.signal('SIGKILL');
    await this.#bucket?.stop();
  }

  async #answer(args: readonly string[]): Promise<Outcome> {
    try {
      return await this.#carryOut(args);
    } catch (error) {
      return { status: 1, stdout: '', stderr: `${(error as Error).message}\n` };
    }
  }

  async #carryOut(args: readonly string[]): Promise<Outcome> {
    const line = args.join(' ');
    const [, names = ''] =
      /^compose up -d --wait(?: --no-deps)?((?: [a-z0-9-]+)*)$/.exec(line) ?? [];
    if (line.startsWith('compose up -d --wait')) return this.#up(wordsOf(names));
    const [, stopped] = /^compose stop((?: [a-z0-9-]+)+)$/.exec(line) ?? [];
    if (stopped !== undefined) return this.#end(wordsOf(stopped));
    if (line === 'compose build') return DONE;
    const [, , , service, ...rest] = args;
    if (line.startsWith('compose run --rm operator ')) return this.#operator(rest);
    if (line.startsWith('compose run --rm aws ')) return this.#aws(rest);
    throw new Error(`this test knows no "docker ${line}" (${service})`);
  }

  /** What is named, anew; or, when nothing is, all that does not run. */
  async #up(names: readonly string[]): Promise<Outcome> {
    const all = Object.keys(COMPOSE.services).filter((name) => !COMPOSE.services[name].profiles);
    const wanted = names.length > 0 ? names : all;
    if (wanted.includes('bucket')) await this.#upBucket();
    for (const name of wanted.filter((one) => one.startsWith('server-'))) {
      const server = this.#server(name);
      if (names.length > 0 && server.isRunning) await this.#end([name]);
      if (!server.isRunning) await server.begin();
    }
    if (wanted.includes('balancer') && this.#balancer === undefined) {
      this.#balancer = await startBalancer({
        url: this.#url,
        admin: `127.0.0.1:${this.#ports[0]}`,
        certificate: this.#secret('tls-certificate'),
        key: this.#secret('tls-key'),
        servers: [...this.#servers.values()].map(({ url }) => new URL(url).host),
        directory: this.#folder,
      });
    }
    return DONE;
  }

  async #upBucket(): Promise<void> {
    if (this.#bucket !== undefined) return;
    const file = this.#secret('bucket-identities');
    const { identities } = JSON.parse(readFileSync(file, 'utf8'));
    const [{ accessKey, secretKey }] = identities[0].credentials;
    this.#bucket = await startSeaweedfs(join(this.#folder, 'deploy/data/bucket'), {
      identities: { file, credentials: { accessKeyId: accessKey, secretAccessKey: secretKey } },
    });
  }

  #server(name: string): RegistryServer {
    const known = this.#servers.get(name);
    if (known !== undefined) return known;
    mkdirSync(join(this.#folder, 'logs'), { recursive: true });
    const server = new RegistryServer({
      name,
      port: this.#ports[this.#servers.size + 1]!,
      url: this.#url,
      endpoint: this.#bucket!.endpoint,
      credentialsFile: this.#secret('bucket-credentials'),
      passphrase: this.#secret('passphrase'),
      keys: join(this.#folder, 'deploy/secrets/keys'),
      index: join(this.#folder, 'deploy/data', name),
      directory: this.#folder,
    });
    this.#servers.set(name, server);
    return server;
  }

  async #end(names: readonly string[]): Promise<Outcome> {
    const servers = names.map((name) => this.#server(name));
    await Promise.all(servers.map((server) => server.signal('SIGTERM')));
    for (const server of servers) {
      if (server.exit !== 0) throw new Error(`${server.name} did not end well: ${server.said()}`);
    }
    return DONE;
  }

  #operator(args: readonly string[]): Promise<Outcome> {
    const mapped = args.map((word) =>
      word
        .replace(/^\/secrets\//, `${join(this.#folder, 'deploy/secrets')}/`)
        .replace(/^\/run\/secrets\/(.*)$/, (_, name) => this.#secret(name)),
    );
    return this.#run('operator', [process.execPath, PROGRAM, ...mapped]);
  }

  async #aws(args: readonly string[]): Promise<Outcome> {
    const mapped = args.map((word) =>
      word
        .replace(/^file:\/\/\/deploy\//, `file://${fileURLToPath(new URL('deploy/', ROOT))}`)
        .replace(/^\/backup/, join(this.#folder, 'deploy/data/backup')),
    );
    return this.#run('aws', [...(await installAwsCli()), ...mapped]);
  }

  /** With the environment that docker-compose.yml gives to the service. */
  #run(service: string, [program, ...args]: readonly string[]): Promise<Outcome> {
    const given = COMPOSE.services[service].environment as Record<string, string>;
    const [, credentials] = /^\/run\/secrets\/(.*)$/.exec(given.AWS_SHARED_CREDENTIALS_FILE!) ?? [];
    const env = {
      ...outside(),
      ...given,
      HOME: this.#folder,
      XDG_CONFIG_HOME: join(this.#folder, 'operator'),
      AWS_ENDPOINT_URL_S3: this.#bucket!.endpoint,
      AWS_SHARED_CREDENTIALS_FILE: this.#secret(credentials!),
    };
    return new Promise((resolve) => {
      execFile(program!, args, { env, cwd: this.#folder }, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : 1, stdout, stderr });
      });
    });
  }

  /** The file of a secret, where docker-compose.yml has it. */
  #secret(name: string): string {
    return join(this.#folder, COMPOSE.secrets[name].file);
  }
}

const DONE: Outcome = { status: 0, stdout: '', stderr: '' };

function wordsOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
