import { describe, expect, test } from '@jest/globals';
import express from 'express';
import { listen } from '../../src/server/listen.ts';
import { noProxies, parseTrustedProxies } from '../../src/server/trusted-proxies.ts';

const OPTION = '--trusted-proxy';

describe('trusted proxies', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['10.0.0.0/8', '::ffff:10.1.2.3', '::ffff:11.1.2.3'],
    ['fd00::/8', 'fd12::1', 'fe80::1'],
    ['0.0.0.0/0', '203.0.113.1', '2001:db8::1'],
  ])('%s has %s and not %s', (network, inside, outside) => {
    const trusted = parseTrustedProxies([network], OPTION);
    expect([trusted(inside), trusted(outside)]).toEqual([true, false]);
  });

  test('are nobody without a setting', () => {
    expect([noProxies('127.0.0.1'), parseTrustedProxies([], OPTION)('127.0.0.1')]).toEqual([
      false,
      false,
    ]);
  });

  test.each([
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    'fd00::/129',
    '10.0.0.1/8/8',
    '10.0.0',
  ])('"%s" is refused as no network', (text) => {
    const parse = () => parseTrustedProxies([text], OPTION);
    expect(parse).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(OPTION) }),
    );
  });
});

describe('X-Forwarded-For', () => {
  /** The client's address as the application sees it, of a request from the loopback. */
  async function seen(trusted: readonly string[], forwarded: string): Promise<string> {
    const app = express();
    app.set('trust proxy', parseTrustedProxies(trusted, OPTION));
    app.get('/', (request, response) => void response.send(request.ip));
    const listening = await listen(() => app, { host: '127.0.0.1', port: 0 });
    const response = await fetch(listening.url, { headers: { 'x-forwarded-for': forwarded } });
    const text = await response.text();
    await listening.close(100);
    return text;
  }

  test('is believed from a trusted proxy: the last address that is none of them', async () => {
    expect(await seen(['127.0.0.0/8', '10.0.0.0/8'], '198.51.100.9, 203.0.113.5, 10.0.0.2')).toBe(
      '203.0.113.5',
    );
  });

  test('says nothing when anybody else sends it', async () => {
    expect(await seen(['10.0.0.0/8'], '203.0.113.5')).toBe('127.0.0.1');
  });
});
