import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { signCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { MAX_PROOF_HASHES, proveInclusion } from '../../../src/core/log/merkle.ts';
import {
  formatTlogProof,
  MAX_TLOG_PROOF_BYTES,
  openTlogProof,
  parseTlogProof,
} from '../../../src/core/log/tlog-proof.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import { noteSigner, noteVerifier } from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';
import { makeLog } from './made-log.ts';

const key = signingKey(host, 'log.example', new Uint8Array(32).fill(1));
const { edge, leafHashes } = makeLog(13);
const checkpoint = signCheckpoint({ ...edge, origin: 'log.example' }, [noteSigner(key)]);
const proof = { index: 6, hashes: proveInclusion(host, leafHashes, 6), checkpoint };
const trust = { origin: 'log.example', logVerifiers: [noteVerifier(key)] };
const file = parseUtf8(formatTlogProof(proof));

describe('the format', () => {
  test('every proof survives format and parse', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: MAX_PROOF_HASHES }),
        fc.uint8Array(),
        (index, hashes, extra) => {
          const made = { index, hashes, checkpoint, ...(extra.length > 0 ? { extra } : {}) };
          expect(parseTlogProof(formatTlogProof(made))).toEqual(made);
        },
      ),
    );
  });

  test.each([
    ['nothing', ''],
    ['another version', file.replace('@v1', '@v2')],
    ['a space before', ` ${file}`],
    ['no index', file.replace(/index.*\n/, '')],
    ['a leading zero', file.replace('index 6', 'index 06')],
    ['a negative index', file.replace('index 6', 'index -6')],
    ['two index lines', file.replace('index 6\n', 'index 6\nindex 6\n')],
    ['empty extra data', file.replace('index', 'extra \nindex')],
    ['extra data without padding', file.replace('index', 'extra YQ\nindex')],
    ['extra data twice', file.replace('index', 'extra YQ==\nextra YQ==\nindex')],
    ['extra data behind the index', file.replace('index 6\n', 'index 6\nextra YQ==\n')],
    ['an unknown line', file.replace('index', 'note x\nindex')],
    ['a hash that is cut', file.replace(/=\n/, '\n')],
    ['a second blank line', file.replace('\n\n', '\n\n\n')],
    ['CRLF', file.replaceAll('\n', '\r\n')],
    ['no blank line', file.replace('\n\n', '\n')],
    ['no checkpoint', file.slice(0, file.indexOf('\n\n') + 2)],
    ['a checkpoint that is none', file.replace('\n13\n', '\n013\n')],
    ['trailing data', `${file}x`],
  ])('refuses %s', (_, text) => {
    expect(() => parseTlogProof(utf8(text))).toThrow();
  });

  test(`carries ${MAX_PROOF_HASHES} hashes, not one more`, () => {
    const hashes = Array(MAX_PROOF_HASHES).fill(new Uint8Array(32));
    expect(parseTlogProof(formatTlogProof({ ...proof, hashes })).hashes).toHaveLength(63);
    const more = [...hashes, new Uint8Array(32)];
    expect(() => formatTlogProof({ ...proof, hashes: more })).toThrowWithCode('bad-proof');
    const line = file.split('\n')[2]!;
    const text = file.replace(line, Array(62).fill(line).join('\n'));
    expect(() => parseTlogProof(utf8(text))).toThrowWithCode('bad-proof');
  });

  test(`has ${MAX_TLOG_PROOF_BYTES} bytes, not one more`, () => {
    const room = MAX_TLOG_PROOF_BYTES - utf8(file).length - 'extra \n'.length;
    const bytes = Math.floor(room / 4) * 3;
    const full = formatTlogProof({ ...proof, extra: new Uint8Array(bytes) });
    expect(full.length).toBeGreaterThan(MAX_TLOG_PROOF_BYTES - 8);
    expect(() => formatTlogProof({ ...proof, extra: new Uint8Array(bytes + 6) })).toThrowWithCode(
      'too-large',
    );
    expect(() => parseTlogProof(new Uint8Array(MAX_TLOG_PROOF_BYTES + 1))).toThrowWithCode(
      'too-large',
    );
  });
});

describe('opening', () => {
  test('shows that the log holds the entry', () => {
    expect(openTlogProof(host, proof, leafHashes[6]!, trust)).toMatchObject({
      ok: true,
      checkpoint: { size: 13 },
    });
  });

  test('refuses the proof of another entry', () => {
    expect(openTlogProof(host, proof, leafHashes[7]!, trust)).toMatchObject({
      ok: false,
      code: 'proof-invalid',
    });
  });

  test('refuses another log and an untrusted key', () => {
    const elsewhere = { ...trust, origin: 'other.example' };
    expect(openTlogProof(host, proof, leafHashes[6]!, elsewhere)).toMatchObject({
      code: 'untrusted',
    });
    const nobody = { ...trust, logVerifiers: [] };
    expect(openTlogProof(host, proof, leafHashes[6]!, nobody)).toMatchObject({ code: 'untrusted' });
  });

  test('no byte of a proof file can be flipped without being noticed', () => {
    const bytes = utf8(file);
    for (let at = 0; at < bytes.length; at++) {
      expect(opens(bytes.with(at, bytes[at]! ^ (1 << (at % 8))))).toBe(false);
    }
  });
});

function opens(bytes: Uint8Array): boolean {
  try {
    return openTlogProof(host, parseTlogProof(bytes), leafHashes[6]!, trust).ok;
  } catch {
    return false;
  }
}
