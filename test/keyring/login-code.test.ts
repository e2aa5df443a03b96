import { expect, test } from '@jest/globals';
import { parseNamespace } from '../../src/core/release/name.ts';
import { tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import { issueDeviceCode, openDeviceCode } from '../../src/keyring/login-code.ts';
import { issueLoginToken, issueToken, openToken } from '../../src/keyring/token.ts';

const now = Date.UTC(2026, 0, 31);
const issuer = await tokenKey('weights.example', newEd25519Key());
const fingerprint = 'ab'.repeat(32);
const expires = now / 1000 + 600;
const grant = {
  subject: 'dana',
  roles: ['reviewer'] as const,
  namespace: parseNamespace('acme'),
  parent: 'cd'.repeat(16),
};

test('a device code says where its answer is, also for a while after it ended', async () => {
  const code = await issueDeviceCode(issuer, { fingerprint, expires }, now);
  const opened = { id: expect.any(String), fingerprint, expires };
  expect(await openDeviceCode(issuer, code, now)).toEqual(opened);
  expect(await openDeviceCode(issuer, code, (expires + 60) * 1000)).toEqual(opened);
});

test('a device code is no token, and no token is a device code', async () => {
  const code = await issueDeviceCode(issuer, { fingerprint, expires }, now);
  await expect(openToken(issuer, code, now)).rejects.toThrow('another kind');
  const login = (await issueLoginToken(issuer, grant, 60, now)).token;
  const bearer = (await issueToken(issuer, grant, 60, now)).token;
  for (const token of [login, bearer]) {
    await expect(openDeviceCode(issuer, token, now)).rejects.toThrow('no device code');
  }
  const other = await tokenKey('weights.example', newEd25519Key());
  await expect(openDeviceCode(other, code, now)).rejects.toThrowWithCode('not-authorised');
});

test('a login token says whose it is, and what it came from', async () => {
  const { token, id } = await issueLoginToken(issuer, grant, 60, now);
  const { subject, roles, namespace, parent, ...rest } = await openToken(issuer, token, now);
  expect({ subject, roles, namespace, parent }).toEqual(grant);
  expect(rest).toMatchObject({ id, ci: false, renews: false, draft: undefined });
});
