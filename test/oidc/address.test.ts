import { describe, expect, test } from '@jest/globals';
import { internet, isPublicAddress, parseFetchUrl, pinAddress } from '../../src/oidc/address.ts';

describe('an address', () => {
  test.each(['8.8.8.8', '93.184.215.14', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00::1'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  test.each([
    '0.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.170',
    '192.168.0.1',
    '198.18.0.1',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::ffff:127.0.0.1',
    '64:ff9b::a00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:a00:1::',
    '3fff::1',
    'localhost',
    '',
  ])('%j is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('the URL of a document', () => {
  test('is https', () => {
    expect(parseFetchUrl('https://issuer.example/keys', false).host).toBe('issuer.example');
    for (const text of [
      'http://issuer.example',
      'ftp://issuer.example',
      'https://u@i.example',
      '',
    ]) {
      expect(() => parseFetchUrl(text, false)).toThrowWithCode('bad-document');
    }
  });
});

describe('pinning', () => {
  const pin = (url: string, ...addresses: string[]) =>
    pinAddress(new URL(url), { ...internet, resolve: async () => addresses });

  test('gives the first of addresses that are all public', async () => {
    expect(await pin('https://i.example', '8.8.8.8', '2606:4700::1111')).toBe('8.8.8.8');
    expect(await pin('https://9.9.9.9', 'not asked')).toBe('9.9.9.9');
    expect(await pin('https://[2606:4700::1111]')).toBe('2606:4700::1111');
  });

  test('refuses a name with a single address that is not, or with none', async () => {
    const inside = pin('https://i.example', '8.8.8.8', '10.0.0.1');
    await expect(inside).rejects.toThrowWithCode('untrusted');
    await expect(pin('https://i.example')).rejects.toThrowWithCode('network');
    await expect(pin('https://i.example', '127.0.0.1')).rejects.toThrowWithCode('untrusted');
  });
});
