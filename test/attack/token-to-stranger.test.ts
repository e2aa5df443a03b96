/** A token goes to the registry that its owner named, and never to an address that a stranger wrote. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Home, makeHome } from '../cli/command-line.ts';
import { Served } from '../made/served.ts';

let served: Served;
let home: Home;
let stranger: Server;
let heard: (string | undefined)[];

beforeEach(async () => {
  heard = [];
  stranger = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'config.json': '{}' });
  home = await makeHome();
});
afterEach(async () => {
  await new Promise((resolve) => stranger.close(resolve));
  await served.stop();
  await home.remove();
});

test('a folder that says it was pulled from a stranger does not get one’s token there', async () => {
  await home.json('trust', 'add', served.url, '--fingerprint', served.fingerprint);
  await home.json('pull', 'acme/tiny@v1', home.path('tiny'), '--url', served.url);
  const summary = home.path('tiny', '.weighhouse', 'release.json');
  const { port } = stranger.address() as AddressInfo;
  const text = await readFile(summary, 'utf8');
  await writeFile(summary, text.replace(served.url, `http://127.0.0.1:${port}`));
  home.env.WEIGHHOUSE_TOKEN = 'secret';
  const { status } = await home.run('verify', home.path('tiny'), '--online');
  expect(status).not.toBe(0);
  expect(heard.length).toBeGreaterThan(0);
  expect(new Set(heard)).toEqual(new Set([undefined]));
});
