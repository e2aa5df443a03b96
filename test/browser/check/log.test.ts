import { describe, expect, test } from '@jest/globals';
import { findCheckpoint } from '../../../src/browser/check/log.ts';
import type { PublicReader } from '../../../src/browser/check/reader.ts';
import { cosignatureSigner } from '../../../src/core/note/cosignature.ts';
import { formatVerifierKey, SIGNATURE_TYPE, signingKey } from '../../../src/core/note/key.ts';
import { addSignatures, formatNote, parseNote, signNote } from '../../../src/core/note/note.ts';
import type { TrustRoot } from '../../../src/core/trust/succession.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeRegistry } from '../../made/registry.ts';

const registry = new MadeRegistry();
registry.namespace('acme');
const seed = new Uint8Array(32).fill(9);
const witness = signingKey(nodeHost, 'w.example', seed, SIGNATURE_TYPE.cosignature);
const witnessPolicy = `witness w ${formatVerifierKey(witness)}\nquorum w\n`;
const witnessed = { ...registry.root, witnessPolicy } as TrustRoot;
const TIME = Date.parse('2026-02-01T12:00:00.000Z') / 1000;

/** What is found of a registry that shows this checkpoint. */
function look(root: TrustRoot, note: Uint8Array) {
  const api = { checkpoint: async () => note };
  return findCheckpoint({ host: nodeHost, api } as unknown as PublicReader, root, undefined);
}

describe('a checkpoint', () => {
  test('that no witness has to cosign is said to be the registry’s word alone', async () => {
    const { value, finding } = await look(registry.root, registry.checkpoint());
    expect(value.size).toBe(1);
    expect(finding.said).toContain('is the registry’s word alone');
    expect(finding.by).toBe('the log’s key');
  });

  test('that is cosigned names the witness and its time', async () => {
    const note = parseNote(registry.checkpoint());
    const { signatures } = signNote(note.text, [cosignatureSigner(witness, TIME)]);
    const cosigned = formatNote(addSignatures(note, signatures));
    const { finding } = await look(witnessed, cosigned);
    expect(finding.by).toBe('the log’s key and 1 of its witnesses');
    expect(finding.facts).toContainEqual({
      label: 'Cosigned by w.example',
      value: '2026-02-01T12:00:00.000Z',
      as: 'instant',
    });
  });

  test('that lacks the cosignature which the trust root asks for is refused', async () => {
    await expect(look(witnessed, registry.checkpoint())).rejects.toThrowWithCode('untrusted');
  });
});
