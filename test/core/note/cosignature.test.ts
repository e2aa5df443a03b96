import { describe, expect, test } from '@jest/globals';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import {
  cosignatureSigner,
  cosignatureVerifier,
  openCosignatures,
} from '../../../src/core/note/cosignature.ts';
import { sign, verify } from '../../../src/core/note/ed25519.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import { addSignatures, noteSigner, openNote, signNote } from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

const log = signingKey(host, 'log.example', new Uint8Array(32).fill(1));
const witness = signingKey(host, 'w.example', new Uint8Array(32).fill(2), 4);
const TEXT = 'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
const TIME = 1_679_315_147;

const note = signNote(TEXT, [noteSigner(log)]);
const [cosignature] = signNote(TEXT, [cosignatureSigner(witness, TIME)]).signatures;

describe('a cosignature', () => {
  test('signs the header, the time and the text, as the specification says', () => {
    const message = utf8(`cosignature/v1\ntime ${TIME}\n${TEXT}`);
    expect(verify(witness.publicKey, message, cosignature!.signature.subarray(8))).toBe(true);
  });

  test('opens with its time', () => {
    const opened = openCosignatures(addSignatures(note, [cosignature!]), [
      cosignatureVerifier(witness),
    ]);
    expect(opened).toEqual({ ok: true, cosignatures: [{ ...cosignature, time: TIME }] });
  });

  test('no byte of it, nor its time, can be changed without being noticed', () => {
    const [signed] = [cosignature!.signature];
    for (let at = 0; at < signed.length; at++) {
      const signature = signed.slice();
      signature[at]! ^= 1;
      const cosigned = addSignatures(note, [{ ...cosignature!, signature }]);
      expect(openCosignatures(cosigned, [cosignatureVerifier(witness)])).toMatchObject({
        ok: false,
        code: 'signature-invalid',
      });
    }
  });

  test('of another checkpoint is refused', () => {
    const other = signNote(TEXT.replace('\n0\n', '\n1\n'), [noteSigner(log)]);
    expect(
      openCosignatures(addSignatures(other, [cosignature!]), [cosignatureVerifier(witness)]),
    ).toMatchObject({ ok: false, code: 'signature-invalid' });
  });

  test('that is missing is no failure: a policy says whether it was needed', () => {
    expect(openCosignatures(note, [cosignatureVerifier(witness)])).toEqual({
      ok: true,
      cosignatures: [],
    });
  });

  test('is not taken for a signature of the log, nor the log’s for a cosignature', () => {
    expect(() => cosignatureVerifier(log)).toThrowWithCode('bad-key');
    const posing = { ...note.signatures[0]!, name: witness.name, id: witness.id };
    expect(
      openNote({ text: TEXT, signatures: [posing] }, [cosignatureVerifier(witness)]),
    ).toMatchObject({ ok: false, code: 'signature-invalid' });
  });

  test('must have a time, a whole number of seconds', () => {
    expect(() => cosignatureSigner(witness, 0)).toThrowWithCode('bad-note');
    expect(() => signNote(TEXT, [cosignatureSigner(witness, 1.5)])).toThrow();
    const untimed = sign(witness.seed, utf8(`cosignature/v1\ntime 0\n${TEXT}`));
    const signature = concat(new Uint8Array(8), untimed);
    const cosigned = addSignatures(note, [{ ...cosignature!, signature }]);
    expect(openCosignatures(cosigned, [cosignatureVerifier(witness)])).toMatchObject({
      code: 'signature-invalid',
    });
  });
});
