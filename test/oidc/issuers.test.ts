import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { parseIssuers } from '../../src/oidc/issuers.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';
const parse = (list: unknown, allowLoopback = false) =>
  parseIssuers(utf8(JSON.stringify(list)), 'issuers.json', allowLoopback);

describe('the list of issuers', () => {
  test('has issuers exactly as they are spelt, with their algorithms', () => {
    const jwks_uri = 'https://keys.example/set';
    expect(
      parse([
        { issuer: GITHUB, algorithms: ['RS256'] },
        { issuer: `${GITHUB}/`, algorithms: ['ES256', 'RS256'], jwks_uri },
      ]),
    ).toEqual([
      { issuer: GITHUB, algorithms: ['RS256'], jwksUri: undefined },
      { issuer: `${GITHUB}/`, algorithms: ['ES256', 'RS256'], jwksUri: jwks_uri },
    ]);
  });

  test.each([
    ['one twice', [1, 2].map(() => ({ issuer: GITHUB, algorithms: ['RS256'] }))],
    ['one without algorithms', [{ issuer: GITHUB }]],
    ['one with none', [{ issuer: GITHUB, algorithms: ['none'] }]],
    ['one with a shared secret', [{ issuer: GITHUB, algorithms: ['HS256'] }]],
    ['keys without TLS', [{ issuer: GITHUB, algorithms: ['RS256'], jwks_uri: 'http://k.example' }]],
    ['a query', [{ issuer: `${GITHUB}?a=b`, algorithms: ['RS256'] }]],
    ['a password', [{ issuer: 'https://a:b@c.example', algorithms: ['RS256'] }]],
    ['no URL', [{ issuer: 'github', algorithms: ['RS256'] }]],
    ['no list', { issuer: GITHUB, algorithms: ['RS256'] }],
    [
      'too many',
      Array.from({ length: 65 }, (_, i) => ({ issuer: `${GITHUB}/${i}`, algorithms: ['RS256'] })),
    ],
  ])('with %s is refused', (_, list) => {
    expect(() => parse(list)).toThrowWithCode('bad-document');
  });

  test('has an issuer on this machine only where that is allowed', () => {
    const list = [{ issuer: 'http://127.0.0.1:9', algorithms: ['RS256'] }];
    expect(() => parse(list)).toThrowWithCode('bad-document');
    expect(parse(list, true)).toHaveLength(1);
    const far = [{ issuer: 'http://issuer.example', algorithms: ['RS256'] }];
    expect(() => parse(far, true)).toThrowWithCode('bad-document');
  });
});
