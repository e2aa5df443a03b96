import { describe, expect, test } from '@jest/globals';
import { allowedHosts } from '../../src/server/hosts.ts';

describe('the hosts that a server answers to', () => {
  test.each([
    'http://127.0.0.1:80',
    'http://127.8.9.1:80',
    'http://[::1]:80',
    'http://localhost:80',
  ])('are few when it listens on %s: this machine, and the public name', (bound) => {
    expect(allowedHosts(bound, undefined)).toEqual(new Set());
    expect(allowedHosts(bound, 'https://models.example/x')).toEqual(new Set(['models.example']));
  });

  test.each(['http://0.0.0.0:80', 'http://[::]:80', 'http://192.0.2.1:80'])(
    'are all when it listens on %s',
    (bound) => expect(allowedHosts(bound, 'https://models.example')).toBe(undefined),
  );
});
