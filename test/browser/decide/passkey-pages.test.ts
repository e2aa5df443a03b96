import { describe, expect, test } from '@jest/globals';
import {
  MAX_NAMED,
  nameable,
  usableAt,
  whyNoPasskeys,
} from '../../../src/browser/decide/passkey-pages.ts';
import { soloPolicy } from '../../../src/core/release/policy.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { makePasskey, PAGE } from '../../made/passkey.ts';

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

describe('a page asks', () => {
  test('for the passkeys of the policy that sign there, and are not revoked', () => {
    const here = makePasskey();
    const elsewhere = makePasskey({ origins: ['https://models.example.org:8443'] });
    const above = makePasskey({ rpId: 'example.org' });
    const key = enrolled(makeKey());
    const solo = soloPolicy(ORIGIN, 'acme', { id: 'owner', name: 'Ada', key });
    const revoked = { ...enrolled(makePasskey()), revoked: true as const };
    const keys = [key, enrolled(here), enrolled(elsewhere), enrolled(above), revoked];
    const policy = { ...solo, people: [{ id: 'owner', name: 'Ada', keys }] };
    expect(usableAt(policy, new URL(PAGE))).toEqual([here.passkey]);
  });

  test('for as many by name as a browser takes, and for any where they are more', () => {
    const many = (count: number) => Array.from({ length: count }, () => makePasskey().passkey);
    expect(nameable(many(MAX_NAMED))).toHaveLength(MAX_NAMED);
    expect(nameable(many(MAX_NAMED + 1))).toEqual([]);
  });
});
