import { describe, expect, test } from '@jest/globals';
import { whyNoPasskeys } from '../../../src/browser/decide/passkey-pages.ts';

const why = (url: string) => whyNoPasskeys(new URL(url));

describe('a page', () => {
  test('at an address of this machine says by which name passkeys work there', () => {
    expect(why('http://127.0.0.1:8080/-/drafts/acme/tiny/v1')).toBe(
      'A passkey belongs to a host name, and 127.0.0.1 is an address. For one, this server is started with “--public-url http://localhost:8080” and opened there.',
    );
    expect(why('http://[::1]/')).toContain('“--public-url http://localhost”');
  });

  test('at another address says that it takes a name', () => {
    expect(why('https://192.0.2.7/')).toContain('192.0.2.7 is an address. Open this registry');
    expect(why('https://[2001:db8::1]/')).toContain('is an address');
  });

  test('at a name says so where the browser has no passkeys', () => {
    expect(why('https://models.example.org/')).toBe('This browser has no passkeys.');
  });
});
