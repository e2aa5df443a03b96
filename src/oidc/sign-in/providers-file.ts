/**
 * The OpenID providers that people may sign in with, and who they are here: `serve --sign-in FILE`.
 *
 *     [{"name": "okta", "issuer": "https://acme.okta.com", "clientId": "0oa1…",
 *       "clientSecretFile": "okta.secret",
 *       "people": [{"claims": {"email": "dana@acme.example"},
 *                   "subject": "dana", "namespace": "acme", "roles": ["reviewer"]}]}]
 *
 * The operator alone says who somebody is here and what they may do; a provider only says that it
 * is them. Who is not listed is nobody. A secret lies in a file of its own, named from this one.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { CodedError } from '../../core/error.ts';
import { parseJson } from '../../core/json.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import { ROLES, type Role } from '../../core/release/roles.ts';
import { issuerUrl } from '../../core/release/trusted-publisher.ts';
import { parseShape, record } from '../../core/shape.ts';
import { parseFetchUrl } from '../address.ts';

const MAX_PROVIDERS = 16;
const MAX_PEOPLE = 1_000;
/** What everybody is asked for who is known by an e-mail address. */
const DEFAULT_SCOPES = ['openid', 'email'];

/** Somebody who may sign in: whoever has all of these claims. */
export interface KnownPerson {
  readonly claims: Readonly<Record<string, string | boolean>>;
  readonly subject: string;
  /** Undefined for all of them, which a file says with `null`. */
  readonly namespace: Namespace | undefined;
  readonly roles: readonly Role[];
}

export interface ProviderSettings {
  /** In addresses, and on its button. */
  readonly name: string;
  /** Exactly as its tokens say it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  readonly people: readonly KnownPerson[];
}

const text = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
  );

const personShape = v.strictObject({
  claims: v.pipe(
    record(v.union([text(512), v.boolean()], 'must be the one text or truth value of the claim')),
    v.check(
      (claims) => typeof (claims.sub ?? claims.email) === 'string',
      'must say who it is, with sub or email: all else is true of several people',
    ),
  ),
  subject: v.pipe(
    v.string(),
    v.regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters, no spaces'),
  ),
  // Said, and not left out: all namespaces are too much to be given by an oversight.
  namespace: v.nullable(v.string()),
  roles: v.pipe(
    v.array(v.picklist(ROLES, `must be of ${ROLES.join(', ')}`)),
    v.minLength(1, `must name one of ${ROLES.join(', ')}`),
  ),
});

const fileShape = v.pipe(
  v.array(
    v.strictObject({
      name: v.pipe(
        v.string(),
        v.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be a-z, 0-9, "-", at most 32'),
      ),
      issuer: issuerUrl,
      clientId: text(256),
      clientSecretFile: v.exactOptional(text(4_096)),
      scopes: v.exactOptional(
        v.pipe(
          v.array(v.pipe(v.string(), v.regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'is no scope'))),
          v.includes('openid', 'must hold openid'),
        ),
      ),
      people: v.pipe(
        v.array(personShape),
        v.maxLength(MAX_PEOPLE, `must list at most ${MAX_PEOPLE} people`),
      ),
    }),
  ),
  v.maxLength(MAX_PROVIDERS, `must list at most ${MAX_PROVIDERS} providers`),
);

/** Settings whose secret has not been read yet. */
type Written = Omit<ProviderSettings, 'clientSecret'> & {
  readonly clientSecretFile: string | undefined;
};

/**
 * Parses the list. `allowLoopback` lets providers be on this machine, without TLS: for tests.
 * Throws `bad-json` or `bad-document`; `what` names the file.
 */
export function parseProviders(
  bytes: Uint8Array,
  what: string,
  allowLoopback: boolean,
): readonly Written[] {
  const listed = parseShape(fileShape, parseJson(bytes, what), what);
  const seen = new Set<string>();
  for (const { name, issuer } of listed) {
    if (seen.has(name)) throw new CodedError('bad-document', `${what} lists ${name} twice`);
    seen.add(name);
    parseFetchUrl(issuer, allowLoopback);
  }
  return listed.map(({ people, scopes = DEFAULT_SCOPES, clientSecretFile, ...rest }) => ({
    ...rest,
    scopes,
    clientSecretFile,
    people: people.map(({ namespace, ...person }) => ({
      ...person,
      namespace: namespace === null ? undefined : parseNamespace(namespace),
    })),
  }));
}

/** Reads the file, and the secrets that it names. Throws `usage` for what cannot be read, else as `parseProviders`. */
export async function readProviders(
  path: string,
  allowLoopback: boolean,
): Promise<readonly ProviderSettings[]> {
  const written = parseProviders(await readNamed(path, 'the file'), path, allowLoopback);
  return Promise.all(
    written.map(async ({ clientSecretFile, ...settings }) => ({
      ...settings,
      clientSecret:
        clientSecretFile === undefined
          ? undefined
          : await readSecret(resolve(dirname(path), clientSecretFile)),
    })),
  );
}

async function readSecret(path: string): Promise<string> {
  const secret = (await readNamed(path, 'the client’s secret')).toString('utf8').trim();
  if (secret !== '') return secret;
  throw new CodedError('usage', `${path} is empty: it must hold the client’s secret`);
}

function readNamed(path: string, what: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('usage', `--sign-in: ${what} ${path} cannot be read (${error.code})`);
  });
}
