import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { Assets } from '../../../src/server/pages/assets.ts';

const SCRIPT = `console.log(${JSON.stringify('a script '.repeat(100))});`;

let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assets-'));
  await writeFile(join(folder, 'draft.js'), SCRIPT);
  await writeFile(join(folder, 'draft.js.br'), brotliCompressSync(SCRIPT));
  await writeFile(join(folder, 'style.css'), 'p{}');
  const assets = Assets.read([pathToFileURL(`${folder}/`)]);
  server = express().use(assets.router()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

function get(name: string, encodings: string): Promise<Response> {
  const { port } = server.address() as AddressInfo;
  const headers = { 'accept-encoding': encodings };
  return fetch(`http://127.0.0.1:${port}/-/assets/${name}`, { headers });
}

describe('a script', () => {
  test.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0.1, gzip', 'br'],
    ['*', 'br'],
    ['gzip', 'gzip'],
    ['gzip, br;q=0', 'gzip'],
    ['identity', null],
    ['', null],
  ])('is sent to who takes "%s" as %p, and is the same', async (encodings, coding) => {
    const sent = await get('draft.js', encodings);
    expect(sent.headers.get('content-encoding')).toBe(coding);
    expect(sent.headers.get('vary')).toContain('Accept-Encoding');
    expect(await sent.text()).toBe(SCRIPT);
  });

  test('is no asset in its compressed form: there is one address for it', async () => {
    expect((await get('draft.js.br', 'br')).status).not.toBe(200);
  });

  test('that the build has not compressed is sent in gzip', async () => {
    expect((await get('style.css', 'br, gzip')).headers.get('content-encoding')).toBe('gzip');
  });
});
