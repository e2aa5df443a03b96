/** docker-compose.yml and the Dockerfile, as far as they can be judged without Docker. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { makeProgram } from '../../src/cli/program.ts';
import { processWorld } from '../../src/cli/world.ts';
import { Served } from '../made/served.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

interface Service {
  readonly image: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly tmpfs: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly build?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
};
const services = Object.entries(compose.services);
const running = services.filter(([, { profiles }]) => profiles === undefined);
const dockerfile = read('Dockerfile');
const { version } = JSON.parse(read('package.json'));

describe('each service of docker-compose.yml', () => {
  test.each(services)('%s has an image of one version', (_, { image }) => {
    expect(image).toMatch(/^[a-z0-9/-]+:v?[0-9]+\.[0-9]+(?:\.[0-9]+)?$/);
  });

  test.each(services)(
    '%s runs as nobody special, and writes only where it is told',
    (_, service) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
      expect(service.security_opt).toContain('no-new-privileges:true');
      expect(service.user).toMatch(/^\$\{WEIGHHOUSE_UID:-1000\}:\$\{WEIGHHOUSE_GID:-1000\}$/);
      expect(service.tmpfs.join()).toContain('/tmp');
    },
  );

  test.each(services)(
    '%s finds its secrets in files, and none in its environment',
    (_, service) => {
      for (const name of service.secrets ?? []) {
        expect(compose.secrets[name]?.file).toMatch(/^\.\/deploy\/secrets\//);
      }
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        expect(name).not.toMatch(/PASSPHRASE|TOKEN|SECRET|ACCESS_KEY|PASSWORD/);
        expect(value).toMatch(
          /^(?:https?:\/\/bucket:8333|us-east-1|\/run\/secrets\/|\/tmp$|\$\{WEIGHHOUSE_URL\}|server-1:)/,
        );
      }
    },
  );

  test.each(running)('%s has its health looked at', (name, { healthcheck, build }) => {
    if (build === undefined) expect(healthcheck).toMatchObject({ test: expect.any(Array) });
    else expect([name, /^HEALTHCHECK /m.test(dockerfile)]).toEqual([name, true]);
  });

  test.each(services)('%s starts after what it needs is healthy', (name, { depends_on = {} }) => {
    const needed = Object.entries(depends_on);
    expect(needed.length > 0 || name === 'bucket').toBe(true);
    for (const [other, { condition }] of needed) {
      expect(compose.services[other]).toBeDefined();
      expect(condition).toBe('service_healthy');
    }
  });
});

describe('the networks', () => {
  test('let the world reach the balancer, and nothing else', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name]) => name)).toEqual(['balancer']);
    const outside = services.filter(([, { networks }]) =>
      networks.some((one) => !compose.networks[one]?.internal),
    );
    expect(outside.map(([name]) => name)).toEqual(['balancer']);
  });

  test('keep the bucket from the balancer', () => {
    expect(compose.services.balancer!.networks).not.toContain('bucket');
    expect(compose.services.bucket!.networks).toEqual(['bucket']);
  });
});

describe('a server', () => {
  const servers = running.filter(([name]) => name.startsWith('server-'));

  test('is one of two that differ in their folder alone', () => {
    const [[, one], [, two]] = servers as [[string, Service], [string, Service]];
    expect(JSON.stringify(two)).toBe(JSON.stringify(one).replaceAll('server-1', 'server-2'));
    expect(servers).toHaveLength(2);
    expect(compose.services.balancer!.environment!.WEIGHHOUSE_SERVERS).toBe(
      servers.map(([name]) => `${name}:8080`).join(' '),
    );
  });

  test('is given flags that "weighhouse serve" has', async () => {
    const program = await makeProgram(['serve'], processWorld(), () => async () => {});
    const serve = program.commands.find((command) => command.name() === 'serve')!;
    const known = serve.options.map(({ long }) => long);
    const [command, ...flags] = compose.services['server-1']!.command!;
    expect(command).toBe('serve');
    for (const flag of flags) expect(known).toContain(flag.split('=')[0]);
    expect(flags.join(' ')).toMatch(/--passphrase-file=.*--drain-delay=/);
  });

  test('cannot write its keys', () => {
    expect(compose.services['server-1']!.volumes![0]).toBe('./deploy/secrets/keys:/keys:ro');
  });
});

describe('the Dockerfile', () => {
  const instructions = dockerfile
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line));

  test('builds on one version of Node, the one that the tests run on', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    const bases = instructions.filter((line) => line.startsWith('FROM '));
    expect(bases).toEqual([
      `FROM node:${devDependencies.node}-slim AS build`,
      `FROM node:${devDependencies.node}-slim`,
    ]);
    expect(compose.services['server-1']!.image).toBe(`weighhouse:${version}`);
  });

  test('copies what is there, and .dockerignore lets it through', () => {
    const allowed = read('.dockerignore').split('\n');
    for (const line of instructions) {
      const [word, ...paths] = line.split(/\s+/);
      if (word !== 'COPY' || paths[0]!.startsWith('--from=')) continue;
      for (const path of paths.slice(0, -1)) {
        expect([path, existsSync(new URL(path, ROOT))]).toEqual([path, true]);
        expect(allowed).toContain(`!${path.replace(/^\.\//, '')}`);
      }
    }
    expect(allowed).toContain('*');
  });

  test('ends as a user without rights, and needs no shell to start or to be looked at', () => {
    const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
    expect(last).toContain('USER 1000:1000');
    expect(last.filter((line) => line.startsWith('RUN '))).toEqual([]);
    for (const word of ['ENTRYPOINT', 'CMD']) {
      expect(last.find((line) => line.startsWith(`${word} `))).toMatch(/ \["/);
    }
    expect(last.find((line) => line.startsWith('HEALTHCHECK '))).toMatch(/ CMD \["node", /);
  });
});

describe('the health check of the image', () => {
  let served: Served;
  afterEach(() => served.stop());

  /** Exit status of the command of the Dockerfile, at the port of `served`. */
  async function check(): Promise<number> {
    const [, command] = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(dockerfile)!;
    const [, ...args] = JSON.parse(command!.replace(':8080', `:${served.port}`)) as string[];
    return new Promise((resolve) => {
      execFile(process.execPath, args, (error) => resolve(error === null ? 0 : Number(error.code)));
    });
  }

  test('is content with a server that is ready, and with no other', async () => {
    let reason: string | undefined;
    served = await Served.start({ parts: { unready: async () => reason } });
    expect(await check()).toBe(0);
    reason = 'the store is full';
    expect(await check()).toBe(1);
  });
});
