import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { isCoded } from '../../../src/core/error.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { MAX_PROOF_HASHES } from '../../../src/core/log/merkle.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { formatBundle, parseBundle } from '../../../src/core/statement/bundle.ts';
import {
  type ModelSignatureExpected,
  openModelSignature,
} from '../../../src/core/statement/model-signature.ts';
import { modelRoot } from '../../../src/core/statement/oms.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeLogKey, makeModelSignature, ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';

const made = makeModelSignature();
const bytes = formatBundle(made.bundle);
const expected: ModelSignatureExpected = {
  release: made.release,
  spki: made.key.spki,
  origin: ORIGIN,
  logKeys: [made.logKey],
};
const open = (file: Uint8Array, changed: Partial<ModelSignatureExpected> = {}) =>
  openModelSignature(nodeHost, parseBundle(file), { ...expected, ...changed });

describe('model.sig', () => {
  test('reads back what was written', () => {
    expect(parseBundle(bytes)).toEqual(made.bundle);
  });

  test('reads back whatever proof it carries', () => {
    const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const anyProof = fc.record({
      logId: anyHash,
      root: anyHash,
      hashes: fc.array(anyHash, { maxLength: MAX_PROOF_HASHES }),
      checkpoint: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
      tree: fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).filter(([x, y]) => x !== y),
    });
    fc.assert(
      fc.property(anyProof, ({ tree, ...rest }) => {
        const place = { index: Math.min(...tree), size: Math.max(...tree) };
        const bundle = { ...made.bundle, proof: { ...made.bundle.proof, ...rest, ...place } };
        expect(parseBundle(formatBundle(bundle))).toEqual(bundle);
      }),
    );
  });

  test('opens, and says which files the release has and where it is logged', async () => {
    expect(await open(bytes)).toMatchObject({
      ok: true,
      statement: {
        release: made.release,
        resources: made.resources,
        root: modelRoot(nodeHost, made.resources),
      },
      checkpoint: { origin: ORIGIN, size: 4 },
    });
  });

  test('is refused after a change of any one byte', async () => {
    for (let at = 0; at < bytes.length; at++) {
      const bumped = bytes.slice();
      bumped[at]! ^= 1;
      expect({ at, opens: await opens(bumped) }).toEqual({ at, opens: false });
    }
  });

  test.each<[string, Partial<ModelSignatureExpected>]>([
    ['another release', { release: parseReleaseName('acme/other@v1.0') }],
    ['another version', { release: parseReleaseName('acme/tiny@v1.1') }],
    ['another release key', { spki: makeKey().spki }],
    ['another log', { origin: 'other.example.org' }],
    ['another log key', { logKeys: [makeLogKey(8)] }],
    ['no log key', { logKeys: [] }],
  ])('is refused for %s', async (_, changed) => {
    expect(await open(bytes, changed)).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test('is refused with the proof of another signature of the same log', async () => {
    const other = makeModelSignature({ release: 'acme/other@v1.0', key: made.key });
    const grafted = formatBundle({ ...made.bundle, proof: other.bundle.proof });
    expect(await open(grafted)).toMatchObject({ ok: false, code: 'proof-invalid' });
  });

  test('is refused when another key signed in the release key’s name, and was logged so', async () => {
    const forger = { ...made.key, sign: makeKey().sign };
    const { bundle } = makeModelSignature({ key: forger });
    expect(await open(formatBundle(bundle))).toMatchObject({
      ok: false,
      code: 'signature-invalid',
    });
  });

  test('is refused with a proof in another tree than the one that the log signed', async () => {
    const { bundle } = makeModelSignature({ key: made.key, logKey: makeLogKey(9) });
    const { logId, checkpoint } = made.bundle.proof;
    const proof = { ...bundle.proof, logId, checkpoint };
    expect(await open(formatBundle({ ...bundle, proof }))).toMatchObject({
      ok: false,
      code: 'proof-invalid',
    });
  });

  test('is refused with the envelope of another release of the same key', async () => {
    const other = makeModelSignature({ release: 'acme/other@v1.0', key: made.key });
    expect(await open(formatBundle(other.bundle))).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test.each([
    ['another index', { index: 2 }],
    ['a hash too few', { hashes: made.bundle.proof.hashes.slice(1) }],
    ['a hash too many', { hashes: [...made.bundle.proof.hashes, new Uint8Array(32)] }],
    ['another size than the checkpoint’s', { size: 5 }],
    ['another root than the checkpoint’s', { root: new Uint8Array(32) }],
  ])('is refused with %s', async (_, change) => {
    const proof = { ...made.bundle.proof, ...change };
    expect(await open(formatBundle({ ...made.bundle, proof }))).toMatchObject({
      ok: false,
      code: 'proof-invalid',
    });
  });

  test('has an index inside its tree', () => {
    const proof = { ...made.bundle.proof, index: 4 };
    expect(() => formatBundle({ ...made.bundle, proof })).toThrowWithCode('bad-bundle');
  });

  type Shown = {
    verificationMaterial: { publicKey: object; tlogEntries: Record<string, object>[] };
  } & Record<string, unknown>;

  test.each<[string, (it: Shown) => void]>([
    ['no log entry', (it) => (it.verificationMaterial.tlogEntries = [])],
    [
      'two log entries',
      (it) => it.verificationMaterial.tlogEntries.push(it.verificationMaterial.tlogEntries[0]!),
    ],
    [
      'an integrated time',
      (it) => Object.assign(it.verificationMaterial.tlogEntries[0]!, { integratedTime: '1' }),
    ],
    [
      'an index that is a number',
      (it) => Object.assign(it.verificationMaterial.tlogEntries[0]!, { logIndex: 1 }),
    ],
    [
      'an index with a leading zero',
      (it) => Object.assign(it.verificationMaterial.tlogEntries[0]!, { logIndex: '01' }),
    ],
    [
      'two indexes',
      (it) => Object.assign(it.verificationMaterial.tlogEntries[0]!, { logIndex: '0' }),
    ],
    ['a certificate', (it) => Object.assign(it.verificationMaterial, { certificate: {} })],
    [
      'another media type',
      (it) => (it.mediaType = 'application/vnd.dev.sigstore.bundle.v0.2+json'),
    ],
    [
      '64 hashes',
      (it) =>
        Object.assign(it.verificationMaterial.tlogEntries[0]!.inclusionProof!, {
          hashes: Array(64).fill(''),
        }),
    ],
  ])('with %s is refused', (_, change) => {
    const it = JSON.parse(parseUtf8(bytes)) as Shown;
    change(it);
    expect(() => parseBundle(formatCanonical(it as never))).toThrowWithCode('bad-bundle');
  });

  test('that is not in canonical form is refused', () => {
    expect(() => parseBundle(utf8(`${parseUtf8(bytes)}\n`))).toThrowWithCode('bad-json');
  });
});

async function opens(file: Uint8Array): Promise<boolean> {
  try {
    return (await open(file)).ok;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return false;
  }
}
