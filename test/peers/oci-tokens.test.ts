/**
 * OCI clients and tokens. A registry never asks for one; so that clients are seen to follow its
 * challenge, there is a door in front of it at which one is asked for.
 */
import { createServer, request as passOn, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installCrane, installOras } from '../../scripts/peers/oci.ts';
import { parseModel } from '../../src/core/release/name.ts';
import { issuePullToken, PULL_TOKEN_SECONDS } from '../../src/keyring/pull-token.ts';
import { openTokenKey } from '../../src/operator/keys-directory.ts';
import { Sandbox } from '../e2e/sandbox.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 60_000;

let sandbox: Sandbox;
let oras: string;
let crane: string;
/** Host and port of the registry, and of the door in front of it. */
let host: string;
let door: string;
let token: string;
let closing: (() => Promise<unknown>)[];

beforeAll(async () => {
  oras = await installOras();
  crane = await installCrane();
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  ({ token } = made);
  const server = await sandbox.serve();
  host = new URL(server.url).host;
  const asking = await openDoor(server.url);
  door = `127.0.0.1:${(asking.address() as AddressInfo).port}`;
  const shut = async () => {
    asking.close();
    asking.closeAllConnections();
  };
  closing = [shut, () => server.stop()];
  await sandbox.trust(made);
  await sandbox.publish('acme/tiny@1', { 'README.md': '# Tiny\n' });
}, INSTALLING_MS);

afterAll(async () => {
  for (const close of closing ?? []) await close();
  await sandbox?.remove();
});

/**
 * Where who shows the registry nothing has shown it a bad token. What its challenge names lies behind
 * the same door: crane goes to no other address of a private network.
 */
async function openDoor(url: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { method, url: path = '' } = request;
    const nothing = path.startsWith('/v2') ? { authorization: 'Bearer none' } : {};
    const asked = { method, headers: { ...nothing, ...request.headers } };
    const passed = passOn(url + path, asked, (answer) => {
      const challenge = answer.headers['www-authenticate'];
      const here = challenge?.replace(url, `http://${door}`);
      const named = here === undefined ? {} : { 'www-authenticate': here };
      response.writeHead(answer.statusCode!, { ...answer.headers, ...named });
      answer.pipe(response);
    });
    request.pipe(passed);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/** What crane ends with that has these credentials for `registry`. */
async function ask(registry: string, credentials: object) {
  const config = JSON.stringify({ auths: { [registry]: credentials } });
  await sandbox.write('docker', { 'config.json': config });
  const args = ['manifest', '--insecure', `${registry}/acme/tiny:1`];
  return sandbox.spawn(crane, args, { DOCKER_CONFIG: sandbox.path('docker') }).ended;
}

const password = (secret: string) => ({ auth: Buffer.from(`me:${secret}`).toString('base64') });

/** A pull token of anybody that was issued so many seconds ago. */
async function pullToken(secondsAgo: number): Promise<string> {
  const key = await openTokenKey(sandbox.path('keys'), undefined);
  const models = [parseModel('acme/tiny')];
  return (await issuePullToken(key, models, undefined, Date.now() - secondsAgo * 1000)).token;
}

describe('crane', () => {
  test.each<[string, () => string, () => Promise<object>]>([
    ['nothing', () => host, async () => ({})],
    ['a token of the registry as its password', () => host, async () => password(token)],
    ['a pull token', () => host, async () => ({ registrytoken: await pullToken(0) })],
    ['nothing where one is asked for', () => door, async () => ({})],
    ['a password where a token is asked for', () => door, async () => password(token)],
  ])(
    'reads with %s',
    async (_, registry, credentials) => {
      const { status, stdout, stderr } = await ask(registry(), await credentials());
      expect([status, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout).layers).toHaveLength(1);
    },
    RUNNING_MS,
  );

  test.each<[string, () => string, () => Promise<object>]>([
    [
      'an expired pull token',
      () => host,
      async () => ({ registrytoken: await pullToken(PULL_TOKEN_SECONDS) }),
    ],
    ['a bad password', () => host, async () => password('secret')],
    ['a bad password where a token is asked for', () => door, async () => password('secret')],
  ])(
    'is refused with %s, and says so',
    async (_, registry, credentials) => {
      const { status, stderr } = await ask(registry(), await credentials());
      expect(status).not.toBe(0);
      expect(stderr).toContain('UNAUTHORIZED');
    },
    RUNNING_MS,
  );
});

describe('oras', () => {
  const login = (secret: string) =>
    sandbox.spawn(oras, ['login', '--plain-http', '-u', 'me', '-p', secret, door], home()).ended;
  const home = () => ({ HOME: sandbox.path('home'), DOCKER_CONFIG: sandbox.path('home') });

  test(
    'pulls without a token where one is asked for',
    async () => {
      const args = ['pull', '--plain-http', `${door}/acme/tiny:1`, '-o', sandbox.path('anybody')];
      const { status, stderr } = await sandbox.spawn(oras, args, home()).ended;
      expect([status, stderr]).toEqual([0, '']);
    },
    RUNNING_MS,
  );

  test(
    'logs in with a token of the registry, and with nothing else, and pulls',
    async () => {
      const refused = await login('secret');
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain('unauthorized: the token is not one of this registry');
      const { status, stdout } = await login(token);
      expect([status, stdout]).toEqual([0, 'Login Succeeded\n']);
      const args = ['pull', '--plain-http', `${door}/acme/tiny:1`, '-o', sandbox.path('known')];
      const pulled = await sandbox.spawn(oras, args, home()).ended;
      expect([pulled.status, pulled.stderr]).toEqual([0, '']);
    },
    RUNNING_MS,
  );

  test(
    'is told how a release is made when it pushes with a token',
    async () => {
      await sandbox.write('pushed', { 'a.txt': 'a' });
      const args = ['push', '--plain-http', `${door}/acme/tiny:2`, 'pushed/a.txt:text/plain'];
      const { status, stderr } = await sandbox.spawn(oras, args, home()).ended;
      expect(status).not.toBe(0);
      expect(stderr).toContain('weighhouse push DIR REF');
    },
    RUNNING_MS,
  );
});
