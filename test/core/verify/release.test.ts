import { beforeAll, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatVerifierKey, SIGNATURE_TYPE, signingKey } from '../../../src/core/note/key.ts';
import { parseReference } from '../../../src/core/release/name.ts';
import type { TrustRoot } from '../../../src/core/trust/succession.ts';
import { type ReleaseDocuments, verifyRelease } from '../../../src/core/verify/release.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeRegistry } from '../../made/registry.ts';
import { changed, refusedBy } from '../../made/tampering.ts';

const registry = new MadeRegistry();
let documents: ReleaseDocuments;
let other: ReleaseDocuments;
let index: number;

beforeAll(() => {
  registry.namespace('acme');
  index = registry.publish('acme/kimi@v1', {
    'config.json': utf8('{}'),
    'model.bin': utf8('weights'),
  });
  registry.publish('acme/kimi@v2', { 'model.bin': utf8('better weights') });
  documents = registry.documents('acme/kimi@v1');
  other = registry.documents('acme/kimi@v2');
});

const ask = (reference: string, shown: ReleaseDocuments, root = registry.root) =>
  verifyRelease(nodeHost, root, parseReference(reference), shown);

describe('a release', () => {
  test('that was published is accepted by version, by digest and as the newest', async () => {
    const digest = digestOf(nodeHost, documents.manifest);
    for (const asked of ['acme/kimi@v1', `acme/kimi@${digest}`, 'acme/kimi', 'acme/kimi@V1']) {
      expect(await ask(asked, documents)).toMatchObject({ ok: true, digest, index });
    }
  });

  test.each([
    ['acme/kimi@v2'],
    ['acme/other@v1'],
    ['zeta/kimi@v1'],
    [`acme/kimi@sha256:${'0'.repeat(64)}`],
  ])('is refused when %s was asked for', async (asked) => {
    expect(await refusedBy(() => ask(asked, documents))).toBe('untrusted');
  });

  test.each([
    ['manifest', 'digest-mismatch'],
    ['releaseDsse', 'digest-mismatch'],
    ['modelSig', 'digest-mismatch'],
    ['entry', 'proof-invalid'],
    ['releaseProof', 'proof-invalid'],
    ['recordProof', 'proof-invalid'],
  ] as const)('is refused with the %s of another release of the same model', async (name, code) => {
    expect(await refusedBy(() => ask('acme/kimi@v1', { ...documents, [name]: other[name] }))).toBe(
      code,
    );
  });

  test('is refused when every document is that of another registry', async () => {
    const stranger = new MadeRegistry();
    stranger.namespace('acme');
    stranger.publish('acme/kimi@v1', { 'model.bin': utf8('evil') });
    // The log key is the same here, so it is the release key that does not fit.
    expect(await refusedBy(() => ask('acme/kimi@v1', stranger.documents('acme/kimi@v1')))).toBe(
      'signature-invalid',
    );
  });

  test('is refused when the release key did not yet, or no longer, sign at its index', async () => {
    const { spki } = registry.releaseKey;
    const late = { ...registry.root, release: [{ spki, from: index + 1 }] } as TrustRoot;
    const ended = { ...registry.root, release: [{ spki, from: 0, to: index }] } as TrustRoot;
    for (const root of [late, ended]) {
      expect(await refusedBy(() => ask('acme/kimi@v1', documents, root))).toBe('signature-invalid');
    }
    expect(await ask('acme/kimi@v1', documents, ended)).toMatchObject({
      message: expect.stringContaining(`ends at entry ${index}: do not use the release`),
    });
  });

  test('is refused without the witness quorum that the root asks for', async () => {
    const type = SIGNATURE_TYPE.cosignature;
    const witness = signingKey(nodeHost, 'witness.example', new Uint8Array(32).fill(9), type);
    const witnessPolicy = `witness w ${formatVerifierKey(witness)}\nquorum w\n`;
    const root = { ...registry.root, witnessPolicy } as TrustRoot;
    expect(await refusedBy(() => ask('acme/kimi@v1', documents, root))).toBe('untrusted');
  });

  test.each([
    'manifest',
    'releaseDsse',
    'modelSig',
    'entry',
    'releaseProof',
    'recordProof',
  ] as const)('is refused with any byte of its %s changed', async (name) => {
    for (const bytes of changed(documents[name], 17)) {
      const code = await refusedBy(() => ask('acme/kimi@v1', { ...documents, [name]: bytes }));
      expect(code).toBeDefined();
    }
  });
});
