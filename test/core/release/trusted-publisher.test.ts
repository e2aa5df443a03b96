import { describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import {
  findPublisher,
  type Identity,
  publisherId,
  type TrustedPublisher,
  trustedPublisher,
} from '../../../src/core/release/trusted-publisher.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const publisher: TrustedPublisher = {
  issuer: 'https://token.actions.githubusercontent.com',
  audience: 'weights.example',
  claims: { repository: 'acme/kimi', environment: 'release' },
};

function identity(changes: object = {}): Identity {
  const { issuer, audience, claims } = publisher;
  return {
    issuer,
    audience,
    claims: { ...claims, actor: 'somebody' },
    ...changes,
  } as object as Identity;
}

describe('a trusted publisher', () => {
  const parses = (changes: object) => v.safeParse(trustedPublisher, { ...publisher, ...changes });

  test.each([
    ['no claim', { claims: {} }],
    ['a claim that everybody’s jobs have', { claims: { ref: 'refs/heads/main' } }],
    ['a claim with a list', { claims: { sub: ['a'] } }],
    ['a claim with a newline', { claims: { sub: 'a\n' } }],
    ['a registered claim', { claims: { sub: 'a', exp: '1' } }],
    ['a claim of no name', { claims: { sub: 'a', '': 'b' } }],
    [
      'too many claims',
      { claims: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`sub${i}`, 'x'])) },
    ],
    ['no audience', { audience: '' }],
    ['an issuer without TLS', { issuer: 'http://issuer.example' }],
    ['something unknown', { roles: ['owner'] }],
  ])('with %s is refused', (_, changes) => expect(parses(changes).success).toBe(false));

  test('may name claims that are URLs', () => {
    expect(parses({ claims: { sub: 'x', 'https://ci.example/team': 'y' } }).success).toBe(true);
  });

  test('has an id of all that it is made of, in any order', () => {
    const id = publisherId(nodeHost, publisher);
    const { environment, repository } = publisher.claims as Record<string, string>;
    const turned = { ...publisher, claims: { environment: environment!, repository: repository! } };
    expect(publisherId(nodeHost, turned)).toBe(id);
    const other = { ...publisher, audience: 'elsewhere.example' };
    expect(publisherId(nodeHost, other)).not.toBe(id);
  });
});

describe('an identity', () => {
  test('is the publisher with its issuer, its audience and all of its claims', () => {
    expect(findPublisher([publisher], identity())).toBe(publisher);
    const others = [{ ...publisher, audience: 'x' }, publisher];
    expect(findPublisher(others, identity())).toBe(publisher);
    expect(findPublisher([], identity())).toBeUndefined();
  });

  test.each([
    ['another issuer', { issuer: `${publisher.issuer}/` }],
    ['another audience', { audience: 'weights.example.evil' }],
    ['a claim missing', { claims: { repository: 'acme/kimi' } }],
    ['a claim in a list', { claims: { repository: ['acme/kimi'], environment: 'release' } }],
    ['a claim that is only inherited', { claims: Object.create(publisher.claims) }],
  ])('with %s is not', (_, changes) => {
    expect(findPublisher([publisher], identity(changes))).toBeUndefined();
  });
});
