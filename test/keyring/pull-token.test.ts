import { describe, expect, test } from '@jest/globals';
import { MAX_MODEL_LENGTH, parseModel, parseNamespace } from '../../src/core/release/name.ts';
import { MAX_TOKEN, tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import {
  issuePullToken,
  MAX_REPOSITORIES,
  openPullToken,
  PULL_TOKEN_SECONDS,
} from '../../src/keyring/pull-token.ts';
import { issueToken, openToken } from '../../src/keyring/token.ts';
import { signedJwt } from '../made/signed-jwt.ts';

const now = Date.UTC(2026, 0, 31);
const jwk = newEd25519Key();
const issuer = await tokenKey('weights.example', jwk);
const tiny = parseModel('acme/tiny');
const parent = {
  id: 'ab'.repeat(16),
  subject: 'alice',
  expires: now / 1000 + 3600,
  reads: undefined,
};

describe('a pull token', () => {
  test('says whose it is and what it reads, and is good for five minutes', async () => {
    const { token, seconds } = await issuePullToken(issuer, [tiny], parent, now);
    expect(seconds).toBe(PULL_TOKEN_SECONDS);
    const claims = {
      parent: { id: parent.id, subject: 'alice' },
      repositories: new Set(['acme/tiny']),
    };
    const end = now + PULL_TOKEN_SECONDS * 1000;
    expect(await openPullToken(issuer, token, end - 1000)).toEqual(claims);
    await expect(openPullToken(issuer, token, end)).rejects.toThrowWithCode('not-authorised');
  });

  test('says where its parent is a reader', async () => {
    for (const reads of ['all', { only: parseNamespace('acme') }] as const) {
      const { token } = await issuePullToken(issuer, [tiny], { ...parent, reads }, now);
      expect((await openPullToken(issuer, token, now))?.parent).toMatchObject({ reads });
    }
  });

  test('of anybody has no parent', async () => {
    const { token } = await issuePullToken(issuer, [], undefined, now);
    expect(await openPullToken(issuer, token, now)).toEqual({
      parent: undefined,
      repositories: new Set(),
    });
  });

  test('ends no later than the token that it comes from', async () => {
    const expires = now / 1000 + 7;
    const { token, seconds } = await issuePullToken(
      issuer,
      [tiny],
      { ...parent, expires },
      now + 1,
    );
    expect(seconds).toBe(7);
    await expect(openPullToken(issuer, token, now + 6_999)).resolves.toBeDefined();
    const late = openPullToken(issuer, token, now + 7_000);
    await expect(late).rejects.toThrowWithCode('not-authorised');
  });

  test('has room for as many of the longest names as are granted at once', async () => {
    const models = Array.from({ length: MAX_REPOSITORIES }, (_, n) =>
      parseModel(`a/${String(n).padStart(MAX_MODEL_LENGTH - 2, 'n')}`),
    );
    const reads = { only: parseNamespace('n'.repeat(MAX_MODEL_LENGTH - 2)) };
    const named = { ...parent, subject: 's'.repeat(128), reads };
    const far = await tokenKey('a'.repeat(60), jwk);
    const { token } = await issuePullToken(far, models, named, now);
    expect(token.length).toBeLessThanOrEqual(MAX_TOKEN);
    expect((await openPullToken(far, token, now))?.repositories.size).toBe(MAX_REPOSITORIES);
  });

  test('opens nothing that takes a token of the registry', async () => {
    const { token } = await issuePullToken(issuer, [tiny], parent, now);
    await expect(openToken(issuer, token, now)).rejects.toThrowWithCode('not-authorised');
  });

  test('is not what another token of ours is', async () => {
    const grant = { subject: 'alice', roles: [], namespace: undefined };
    const { token } = await issueToken(issuer, grant, 60, now);
    expect(await openPullToken(issuer, token, now)).toBeUndefined();
  });

  test('of another registry, or of another key, is refused', async () => {
    for (const other of [
      await tokenKey('other.example', jwk),
      await tokenKey('weights.example', newEd25519Key()),
    ]) {
      const { token } = await issuePullToken(other, [tiny], parent, now);
      await expect(openPullToken(issuer, token, now)).rejects.toThrowWithCode('not-authorised');
    }
  });

  const entry = { type: 'repository', name: 'acme/tiny', actions: ['pull'] };
  test.each([
    ['no access', {}],
    ['another action', { access: [{ ...entry, actions: ['pull', 'push'] }] }],
    ['no action', { access: [{ ...entry, actions: [] }] }],
    ['another type', { access: [{ ...entry, type: 'registry' }] }],
    ['too many repositories', { access: Array(MAX_REPOSITORIES + 1).fill(entry) }],
    ['a namespace that is none', { access: [entry], parent: parent.id, reads: 'Acme' }],
    ['a parent of another form', { access: [entry], parent: '../alice' }],
  ])('with %s is refused, though the key signed it', async (_, claims) => {
    const token = await signedJwt(issuer, 'weighhouse-pull+jwt', 'alice', claims, now);
    await expect(openPullToken(issuer, token, now)).rejects.toThrowWithCode('not-authorised');
  });
});
