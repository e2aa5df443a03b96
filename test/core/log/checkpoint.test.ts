import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Checkpoint,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  parseOrigin,
  signCheckpoint,
} from '../../../src/core/log/checkpoint.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import { formatNote, noteSigner, noteVerifier, signNote } from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

// The example of the specification, "Transparency Log Checkpoints".
const SPECIFIED =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';

const key = signingKey(host, 'log.example', new Uint8Array(32).fill(1));
const root = new Uint8Array(32).fill(5);
const signed = signCheckpoint({ origin: 'log.example', size: 7, root }, [noteSigner(key)]);

const lines = fc.string({ unit: 'grapheme', minLength: 1 }).filter((line) => !line.includes('\n'));
const checkpoints: fc.Arbitrary<Checkpoint> = fc.record({
  origin: lines,
  size: fc.maxSafeNat(),
  root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  extensions: fc.array(lines, { maxLength: 3 }),
});

describe('the text', () => {
  test('reads and writes the checkpoint that the specification shows', () => {
    const checkpoint = parseCheckpoint(SPECIFIED);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(formatCheckpoint(checkpoint)).toBe(SPECIFIED);
  });

  test('every checkpoint survives format and parse', () => {
    fc.assert(
      fc.property(checkpoints, (checkpoint) => {
        expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['an origin alone', 'o\n'],
    ['no root', 'o\n1\n'],
    ['an empty origin', `\n1\n${ROOT}\n`],
    ['a missing last newline', `o\n1\n${ROOT}`],
    ['an empty extension line', `o\n1\n${ROOT}\n\n`],
    ['an empty line before the extension', `o\n1\n${ROOT}\n\nx\n`],
    ['a leading zero', `o\n01\n${ROOT}\n`],
    ['two zeros', `o\n00\n${ROOT}\n`],
    ['a sign', `o\n+1\n${ROOT}\n`],
    ['a minus', `o\n-1\n${ROOT}\n`],
    ['a fraction', `o\n1.0\n${ROOT}\n`],
    ['an exponent', `o\n1e3\n${ROOT}\n`],
    ['hexadecimal', `o\n0x1\n${ROOT}\n`],
    ['no digits', `o\n\n${ROOT}\n`],
    ['a space behind the size', `o\n1 \n${ROOT}\n`],
    ['a carriage return behind the size', `o\n1\r\n${ROOT}\n`],
    ['digits that are not ASCII', `o\n\u0661\n${ROOT}\n`],
    ['a root without padding', `o\n1\n${ROOT.slice(0, -1)}\n`],
    ['a root with bits left over', `o\n1\n${ROOT.replace('I=', 'J=')}\n`],
    ['a root of 31 bytes', `o\n1\n${'A'.repeat(40)}AA==\n`],
    ['a root of 33 bytes', `o\n1\n${'A'.repeat(44)}\n`],
    ['a space behind the root', `o\n1\n${ROOT} \n`],
  ])('refuses %s', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrowWithCode('bad-checkpoint');
  });

  test('sizes go up to 2^53 - 1, not one further', () => {
    const largest = `o\n${Number.MAX_SAFE_INTEGER}\n${ROOT}\n`;
    expect(parseCheckpoint(largest).size).toBe(2 ** 53 - 1);
    expect(() => parseCheckpoint(`o\n9007199254740992\n${ROOT}\n`)).toThrowWithCode(
      'bad-checkpoint',
    );
    expect(() => parseCheckpoint(`o\n18446744073709551616\n${ROOT}\n`)).toThrowWithCode(
      'bad-checkpoint',
    );
    for (const size of [2 ** 53, -1, 0.5, Number.NaN]) {
      expect(() => formatCheckpoint({ origin: 'o', size, root })).toThrowWithCode('bad-checkpoint');
    }
  });

  test('the formatter writes no line that would be read as another', () => {
    for (const origin of ['', 'a\nb']) {
      expect(() => formatCheckpoint({ origin, size: 1, root })).toThrowWithCode('bad-checkpoint');
    }
    for (const line of ['', 'a\nb']) {
      expect(() =>
        formatCheckpoint({ origin: 'o', size: 1, root, extensions: [line] }),
      ).toThrowWithCode('bad-checkpoint');
    }
  });
});

describe('opening', () => {
  const trusted = [noteVerifier(key)];

  test('gives the checkpoint of the log that was asked for', () => {
    expect(openCheckpoint(signed, 'log.example', trusted)).toMatchObject({
      ok: true,
      checkpoint: { origin: 'log.example', size: 7, root, extensions: [] },
    });
  });

  test('refuses another log, though a trusted key has signed for it', () => {
    const other = signCheckpoint({ origin: 'other.example', size: 7, root }, [noteSigner(key)]);
    expect(openCheckpoint(other, 'log.example', trusted)).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test('refuses a checkpoint that only a stranger has signed', () => {
    const stranger = signingKey(host, 'log.example', new Uint8Array(32).fill(2));
    expect(openCheckpoint(signed, 'log.example', [noteVerifier(stranger)])).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test('no byte can be flipped in any bit without being noticed', () => {
    for (let at = 0; at < signed.length; at++) {
      const bumped = signed.with(at, signed[at]! ^ (1 << (at % 8)));
      expect(opens(bumped)).toBe(false);
    }
  });

  function opens(bytes: Uint8Array): boolean {
    try {
      return openCheckpoint(bytes, 'log.example', trusted).ok;
    } catch {
      return false;
    }
  }

  test('a note that is well signed but is no checkpoint is an error', () => {
    for (const text of ['a letter\n', 'log.example\n07\nAAAA\n']) {
      const note = formatNote(signNote(text, [noteSigner(key)]));
      expect(() => openCheckpoint(note, 'log.example', trusted)).toThrowWithCode('bad-checkpoint');
    }
  });
});

describe('the origin of a log of ours', () => {
  test.each(['models.example.com', 'localhost', '127.0.0.1', 'a-b.c', `${'a'.repeat(63)}.example`])(
    'may be %s',
    (origin) => {
      expect(parseOrigin(origin)).toBe(origin);
    },
  );

  test.each([
    '',
    'Example.com',
    'example.com/log',
    'example.com:8080',
    'https://example.com',
    'example.com.',
    '.example.com',
    'a..b',
    '-a.example',
    'a-.example',
    'a_b.example',
    'exämple.com',
    'example.com - 123',
    'example.com\n',
    '[::1]',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(126)}ab`,
  ])('may not be %j', (origin) => {
    expect(() => parseOrigin(origin)).toThrowWithCode('bad-name');
  });
});
