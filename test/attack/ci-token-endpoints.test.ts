/** A CI token, stolen or not, can push and seal: it tries everything that the API describes. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatBase64 } from '../../src/core/bytes.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../src/core/release/advisory.ts';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { declared, nonceOf } from '../made/live-registry.ts';
import { contentDigest } from '../made/served.ts';
import { TrustedPublishing } from '../made/trusted-publishing.ts';

/** All that a push does. Whatever is not named here refuses a CI token, what is new included. */
const PUSHING = [
  'openDraft',
  'draftStatus',
  'declareFile',
  'putPart',
  'signParts',
  'noteParts',
  'completeUpload',
  'sealDraft',
  'draftManifest',
];
const REFUSED = [
  'not-authorised',
  'not authorised: a CI job can push and seal, and do nothing else',
];
const FILES = { 'README.md': 'Hello.' };
const SOME_DIGEST = parseDigest(`sha256:${'0'.repeat(64)}`);

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly security?: unknown;
}

let publishing: TrustedPublishing;
let token: string;
let digest: string;
let operations: Operation[];
beforeAll(async () => {
  publishing = await TrustedPublishing.start();
  const { served } = publishing;
  await served.createNamespace('other');
  await served.publish('acme/tiny@v0', FILES);
  token = await publishing.admitted();
  ({ digest } = await served.push('acme/tiny@v1', FILES, { token }));
  const { paths } = (await (await served.fetch('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, Omit<Operation, 'path' | 'method'>>>;
  };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({ ...it, path, method: method.toUpperCase() })),
  );
});
afterAll(() => publishing.stop());

/** A body that would do, where one is asked for: nothing is refused for being malformed. */
function bodyOf(operationId: string): unknown {
  return {
    declareFile: declared('README.md', FILES['README.md']),
    signParts: { parts: [{ number: 1, sha256: SOME_DIGEST }] },
    noteParts: { parts: [{ number: 1, sha256: SOME_DIGEST, tag: 't' }] },
    sealDraft: { nonce: nonceOf(1), paths: Object.keys(FILES) },
    publish: { digest },
    createNamespace: { policy: formatBase64(new Uint8Array(2)), signed: ['AAAA'] },
  }[operationId];
}

async function ask({ path, method, operationId }: Operation, namespace: string, bearer?: string) {
  const at: Record<string, string> = { namespace, name: 'tiny', version: 'v1', index: '1' };
  const url = path.replaceAll(/\{([a-z]+)\}/g, (_, name: string) => at[name] ?? '1');
  const json = method === 'POST' ? (bodyOf(operationId) ?? {}) : undefined;
  const part =
    operationId === 'putPart'
      ? { body: new Uint8Array(1), headers: { 'content-digest': contentDigest(SOME_DIGEST) } }
      : {};
  const options = { method, token: bearer ?? null, json, ...part };
  return publishing.served.fetch(`/api/v1${url}`, options);
}

test('of all that takes a token, only a push’s own endpoints answer it', async () => {
  const closed = operations.filter(({ security }) => security !== undefined);
  expect(closed.length).toBeGreaterThan(PUSHING.length);
  for (const operation of closed) {
    const { operationId } = operation;
    const response = await ask(operation, 'acme', token);
    if (PUSHING.includes(operationId)) {
      expect([operationId, [401, 403].includes(response.status)]).toEqual([operationId, false]);
      continue;
    }
    const { code, detail } = (await response.json()) as Record<string, string>;
    expect([operationId, response.status, code, detail]).toEqual([operationId, 403, ...REFUSED]);
  }
});

test('the registry itself refuses it, whatever the server lets through', async () => {
  const { served } = publishing;
  const job = { subject: 'ci:x', roles: [], namespace: parseNamespace('acme'), ci: true };
  const release = parseReleaseName('acme/tiny@v1');
  const refused = async (it: Promise<unknown>) =>
    expect(it).rejects.toThrowWithCode('not-authorised');
  await refused(served.registry.publish(job, release, parseDigest(digest)));
  await refused(served.registry.withdraw(job, release));
  await refused(
    served.registry.publish({ ...job, roles: ['owner'] }, release, parseDigest(digest)),
  );
  const operator = { ...job, roles: ['operator' as const], namespace: undefined };
  const creation = { policy: new Uint8Array(0), signed: [], override: false };
  await refused(served.registry.createNamespace(operator, creation));
  await refused(served.registry.advise(job, await signedAdvisory()));
});

/** One that the owner signed: it would be logged for anybody with a role. */
async function signedAdvisory(): Promise<Uint8Array> {
  const { served } = publishing;
  const { digest: published } = await served.api('/releases/acme/tiny/v0', { token: null });
  const payload = formatAdvisory({
    v: 1,
    origin: served.origin,
    release: 'acme/tiny@v0',
    digest: published,
    advisory: 'recalled',
    summary: 'Nobody should use it.',
    time: new Date().toISOString(),
    nonce: nonceOf(1),
  });
  const signature = await served.owner.sign(toSign(ADVISORY_PAYLOAD_TYPE, payload));
  return formatEnvelope(ADVISORY_PAYLOAD_TYPE, payload, signature);
}

test('in another namespace nothing answers it', async () => {
  for (const operation of operations.filter(({ path }) => path.startsWith('/drafts'))) {
    const { operationId } = operation;
    const { status } = await ask(operation, 'other', token);
    expect([operationId, status]).toEqual([operationId, 403]);
  }
});

test('where no token is needed it opens no more than none does', async () => {
  for (const operation of operations.filter(({ security }) => security === undefined)) {
    const { operationId } = operation;
    const without = await ask(operation, 'acme');
    const { status } = await ask(operation, 'acme', token);
    expect([operationId, status]).toEqual([operationId, without.status]);
  }
});

test('what it pushed is still there, sealed and not published', async () => {
  const status = await publishing.served.api('/drafts/acme/tiny/v1');
  expect(status).toMatchObject({ state: 'sealed', digest });
});

test('the credential of its upload publishes and withdraws nothing', async () => {
  const { served } = publishing;
  const { session } = await served.api('/drafts/acme/tiny/v1', { method: 'PUT', token });
  for (const [method, path] of [
    ['POST', '/publish'],
    ['DELETE', ''],
    ['PUT', ''],
  ] as const) {
    const json = method === 'POST' ? { digest } : undefined;
    const url = `/api/v1/drafts/acme/tiny/v1${path}`;
    expect((await served.fetch(url, { method, token: session, json })).status).toBe(403);
  }
});
