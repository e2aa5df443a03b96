import { describe, expect, test } from '@jest/globals';
import express from 'express';
import { LISTEN_LIMITS, listen } from '../../src/server/listen.ts';

const ANY = { host: '127.0.0.1', port: 0 };

describe('the limits in use', () => {
  test('are of minutes at most', () => {
    const { headersTimeout, idleTimeout, upload, maxConnections } = LISTEN_LIMITS;
    for (const milliseconds of [headersTimeout, idleTimeout, upload.milliseconds]) {
      expect(milliseconds).toBeGreaterThan(0);
      expect(milliseconds).toBeLessThanOrEqual(120_000);
    }
    expect(maxConnections).toBeGreaterThan(0);
  });
});

describe('listening', () => {
  test('says where it was bound, and tells the application before the first request', async () => {
    let told = '';
    const listening = await listen((url) => {
      told = url;
      return express();
    }, ANY);
    expect(listening.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
    expect(told).toBe(listening.url);
    await listening.close(100);
  });

  test('on an address that is taken, or is none of ours, fails in one sentence', async () => {
    const first = await listen(() => express(), ANY);
    const port = Number(new URL(first.url).port);
    await expect(listen(() => express(), { ...ANY, port })).rejects.toThrowWithCode('network');
    const elsewhere = { host: '203.0.113.1', port: 0 };
    await expect(listen(() => express(), elsewhere)).rejects.toThrowWithCode('network');
    await first.close(100);
  });
});
