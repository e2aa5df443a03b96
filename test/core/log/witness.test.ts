import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { signCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { MAX_PROOF_HASHES } from '../../../src/core/log/merkle.ts';
import {
  formatAddCheckpoint,
  formatConflict,
  formatCosignatures,
  MAX_COSIGNATURES_BYTES,
  MAX_REQUEST_BYTES,
  parseAddCheckpoint,
  parseConflict,
  parseCosignatures,
} from '../../../src/core/log/witness.ts';
import { cosignatureSigner } from '../../../src/core/note/cosignature.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import { noteSigner, signNote } from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

const log = signingKey(host, 'log.example', new Uint8Array(32).fill(1));
const checkpoint = signCheckpoint(
  { origin: 'log.example', size: 9, root: new Uint8Array(32).fill(4) },
  [noteSigner(log)],
);
const hash = new Uint8Array(32).fill(8);
const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('an add-checkpoint request', () => {
  test('every request survives format and parse', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(hashes, { maxLength: 63 }), (oldSize, proof) => {
        const request = { oldSize, proof, checkpoint };
        expect(parseAddCheckpoint(formatAddCheckpoint(request))).toEqual(request);
      }),
    );
  });

  test('is laid out as the specification says', () => {
    const body = parseUtf8(formatAddCheckpoint({ oldSize: 4, proof: [hash], checkpoint }));
    expect(body).toBe(
      `old 4\nCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n\n${parseUtf8(checkpoint)}`,
    );
  });

  test(`carries ${MAX_PROOF_HASHES} hashes, not one more`, () => {
    const proof = Array(MAX_PROOF_HASHES).fill(hash);
    expect(formatAddCheckpoint({ oldSize: 1, proof, checkpoint }).length).toBeLessThan(
      MAX_REQUEST_BYTES,
    );
    expect(() =>
      formatAddCheckpoint({ oldSize: 1, proof: [...proof, hash], checkpoint }),
    ).toThrowWithCode('bad-proof');
    const line = 'CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n';
    const body = concat(utf8(`old 1\n${line.repeat(64)}\n`), checkpoint);
    expect(() => parseAddCheckpoint(body)).toThrowWithCode('bad-proof');
  });

  test(`has ${MAX_REQUEST_BYTES} bytes, not one more: witnesses would cut it off`, () => {
    const fitting = (length: number) => {
      const extension = 'x'.repeat(length);
      return signCheckpoint(
        { origin: 'log.example', size: 9, root: hash, extensions: [extension] },
        [noteSigner(log)],
      );
    };
    const room = MAX_REQUEST_BYTES - 'old 1\n\n'.length - fitting(1).length + 1;
    const request = (length: number) => ({ oldSize: 1, proof: [], checkpoint: fitting(length) });
    expect(formatAddCheckpoint(request(room))).toHaveLength(MAX_REQUEST_BYTES);
    expect(() => formatAddCheckpoint(request(room + 1))).toThrowWithCode('too-large');
    const body = concat(utf8('old 1\n\n'), fitting(room + 1));
    expect(() => parseAddCheckpoint(body)).toThrowWithCode('too-large');
  });

  const note = parseUtf8(checkpoint);
  test.each([
    ['nothing', '', 'bad-proof'],
    ['no old size', `\n${note}`, 'bad-proof'],
    ['a leading zero', `old 04\n\n${note}`, 'bad-proof'],
    ['two spaces', `old  4\n\n${note}`, 'bad-proof'],
    ['another word', `new 4\n\n${note}`, 'bad-proof'],
    ['no blank line', `old 4\n${note}`, 'bad-proof'],
    ['a hash that is cut', `old 4\nCAgI\n\n${note}`, 'bad-proof'],
    ['CRLF', `old 4\r\n\r\n${note}`, 'bad-proof'],
    ['no checkpoint', 'old 4\n\n', 'bad-note'],
    ['an unsigned checkpoint', 'old 4\n\nlog.example\n1\n', 'bad-note'],
  ] as const)('with %s is refused', (_, body, code) => {
    expect(() => parseAddCheckpoint(utf8(body))).toThrowWithCode(code);
  });
});

describe('an answer', () => {
  test('409 carries one decimal line', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        expect(parseConflict(formatConflict(size))).toBe(size);
      }),
    );
    for (const body of [
      '',
      '\n',
      '7',
      '07\n',
      ' 7\n',
      '7\r\n',
      '7\n\n',
      '-7\n',
      '9007199254740992\n',
    ]) {
      expect(() => parseConflict(utf8(body))).toThrowWithCode('bad-proof');
    }
    expect(() => parseConflict(utf8('1'.repeat(18)))).toThrowWithCode('too-large');
  });

  test('200 carries signature lines, of keys that we know or not', () => {
    const witness = signingKey(host, 'w.example', new Uint8Array(32).fill(2), 4);
    const { signatures } = signNote('text\n', [cosignatureSigner(witness, 5), noteSigner(log)]);
    expect(parseCosignatures(formatCosignatures(signatures))).toEqual(signatures);
    const text = parseUtf8(formatCosignatures(signatures));
    for (const body of ['', '\n', text.slice(0, -1), `${text}\n`, `${text}x\n`]) {
      expect(() => parseCosignatures(utf8(body))).toThrowWithCode('bad-note');
    }
    const endless = new Uint8Array(MAX_COSIGNATURES_BYTES + 1).fill(0x41);
    expect(() => parseCosignatures(endless)).toThrowWithCode('too-large');
    expect(() => parseCosignatures(endless.subarray(1))).toThrowWithCode('bad-note');
  });
});
