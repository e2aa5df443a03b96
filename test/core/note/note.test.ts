import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { parseVerifierKey, signingKey } from '../../../src/core/note/key.ts';
import {
  addSignatures,
  formatNote,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  type NoteSignature,
  noteSigner,
  noteVerifier,
  openNote,
  parseNote,
  parseSignatureLines,
  signNote,
} from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

// The example of the specification, "Verifier keys".
const KEY = parseVerifierKey(
  host,
  'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
);
const SIGNATURE =
  'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=';
const NOTE = `This is an example message.\n\n\u2014 example.com/foo ${SIGNATURE}\n`;

const key = (name: string, fill: number) => signingKey(host, name, new Uint8Array(32).fill(fill));
const alice = key('alice.example', 1);
const bob = key('bob.example', 2);

const texts = fc
  .array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 })
  .map((lines) => `${lines.join('\n').replace(/[\x00-\x09\x0b-\x1f]/g, '')}\n`);

describe('the format', () => {
  test('opens the note that the specification shows', () => {
    const note = parseNote(utf8(NOTE));
    expect(note.text).toBe('This is an example message.\n');
    expect(openNote(note, [noteVerifier(KEY)])).toMatchObject({ ok: true });
    expect(formatNote(note)).toEqual(utf8(NOTE));
  });

  test('every note survives format and parse, also with blank lines in its text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const signature = { name: alice.name, id: alice.id, signature: Uint8Array.of(1, 2, 3) };
        const note = { text, signatures: [signature, signature] };
        expect(parseNote(formatNote(note))).toEqual(note);
      }),
    );
  });

  test('what parses is written back byte by byte, however the note was mangled', () => {
    const original = utf8(NOTE);
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.nat(255), (at, byte) => {
        const mangled = original.slice();
        mangled[at] = byte;
        let note: ReturnType<typeof parseNote>;
        try {
          note = parseNote(mangled);
        } catch {
          return;
        }
        expect(formatNote(note)).toEqual(mangled);
      }),
      { numRuns: 500 },
    );
  });

  const [text, line] = NOTE.split('\n\n') as [string, string];
  test.each([
    ['nothing', ''],
    ['text without signatures', `${text}\n`],
    ['a missing blank line', `${text}\n${line}`],
    ['a blank line and no signature', `${text}\n\n`],
    ['a missing last newline', NOTE.slice(0, -1)],
    ['a newline too many', `${NOTE}\n`],
    ['data behind the signatures', `${NOTE}trailing`],
    ['CRLF line ends', NOTE.replaceAll('\n', '\r\n')],
    ['a carriage return in the text', NOTE.replace('.', '\r')],
    ['a tab in the text', NOTE.replace('This is', 'This\tis')],
    ['a NUL', NOTE.replace('This', '\0')],
    ['a hyphen for the dash', NOTE.replace('\u2014', '-')],
    ['an en dash for the dash', NOTE.replace('\u2014', '\u2013')],
    ['two spaces behind the dash', NOTE.replace('\u2014 ', '\u2014  ')],
    ['a space at the end of a line', NOTE.replace('=\n', '= \n')],
    ['no name', NOTE.replace(' example.com/foo', '')],
    ['an empty name', NOTE.replace('example.com/foo', '')],
    ['a plus in the name', NOTE.replace('/foo', '+foo')],
    ['a no-break space in the name', NOTE.replace('/foo', '/\u00a0foo')],
    ['an ideographic space in the name', NOTE.replace('/foo', '/\u3000foo')],
    ['base64 without padding', NOTE.replace('=\n', '\n')],
    ['base64 with bits left over', NOTE.replace('QM=\n', 'QN=\n')],
    ['URL-safe base64', NOTE.replace('Uw2Q', 'Uw-_')],
    ['a signature that is only a key ID', NOTE.replace(SIGNATURE, 'Uw2QOg==')],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseNote(utf8(bytes))).toThrowWithCode('bad-note');
  });

  test('refuses bytes that are not UTF-8', () => {
    const bytes = utf8(NOTE);
    bytes[0] = 0xff;
    expect(() => parseNote(bytes)).toThrowWithCode('bad-note');
  });

  test('the formatter refuses what the parser would', () => {
    const signatures = [{ name: alice.name, id: 1, signature: Uint8Array.of(1) }];
    const refused = (note: Parameters<typeof formatNote>[0]) =>
      expect(() => formatNote(note)).toThrowWithCode('bad-note');
    refused({ text: 'no newline', signatures });
    refused({ text: 'a\ttab\n', signatures });
    refused({ text: 'unsigned\n', signatures: [] });
    refused({ text: 'empty\n', signatures: [{ ...signatures[0]!, signature: new Uint8Array(0) }] });
    refused({
      text: 'name\n',
      signatures: [{ ...signatures[0]!, name: 'a b' as typeof alice.name }],
    });
  });

  test(`reads ${MAX_NOTE_SIGNATURES} signatures, not one more`, () => {
    const signature = { name: alice.name, id: alice.id, signature: Uint8Array.of(1) };
    const full = formatNote({
      text: 'x\n',
      signatures: Array(MAX_NOTE_SIGNATURES).fill(signature),
    });
    expect(parseNote(full).signatures).toHaveLength(MAX_NOTE_SIGNATURES);
    const more = `${parseUtf8(full)}${parseUtf8(full).split('\n').at(-2)}\n`;
    expect(() => parseNote(utf8(more))).toThrowWithCode('bad-note');
  });

  test(`reads ${MAX_NOTE_BYTES} bytes, not one more`, () => {
    const long = `${'x'.repeat(MAX_NOTE_BYTES - utf8(`\n\n${line}`).length)}\n`;
    const note = `${long}\n${line}`;
    expect(utf8(note)).toHaveLength(MAX_NOTE_BYTES);
    expect(parseNote(utf8(note)).text).toBe(long);
    expect(() => parseNote(utf8(`x${note}`))).toThrowWithCode('too-large');
  });
});

describe('opening', () => {
  const signed = signNote('a text\n', [noteSigner(alice), noteSigner(bob)]);

  test('tells the signatures of known keys from those of others', () => {
    const opened = openNote(signed, [noteVerifier(bob)]);
    if (!opened.ok) throw new Error(opened.message);
    expect(opened.note.verified.map(({ name }) => name)).toEqual(['bob.example']);
    expect(opened.note.unknown.map(({ name }) => name)).toEqual(['alice.example']);
  });

  test('one bad signature of a known key refuses the note, though another is good', () => {
    const broken = {
      text: signed.text,
      signatures: [signed.signatures[0]!, bump(signed.signatures[1]!)],
    };
    expect(openNote(broken, [noteVerifier(alice), noteVerifier(bob)])).toMatchObject({
      ok: false,
      code: 'signature-invalid',
    });
    // The same signature is nobody's concern where bob is not known.
    expect(openNote(broken, [noteVerifier(alice)])).toMatchObject({ ok: true });
  });

  test('a known name with another ID, and a known ID with another name, are strangers', () => {
    const [first] = signed.signatures as [NoteSignature];
    const otherId = { ...first, id: first.id ^ 1 };
    const otherName = { ...first, name: bob.name };
    for (const stranger of [otherId, otherName]) {
      const note = addSignatures({ text: signed.text, signatures: [stranger] }, []);
      expect(openNote(note, [noteVerifier(alice)])).toMatchObject({ ok: false, code: 'untrusted' });
      expect(openNote(addSignatures(note, [first]), [noteVerifier(alice)])).toMatchObject({
        ok: true,
      });
    }
  });

  test('is refused when no key is trusted', () => {
    expect(openNote(signed, [])).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test('two trusted keys that cannot be told apart are an error of whoever trusts', () => {
    expect(() => openNote(signed, [noteVerifier(alice), noteVerifier(alice)])).toThrowWithCode(
      'bad-key',
    );
  });

  test('a key of a witness signs no notes', () => {
    const witness = signingKey(host, 'w', new Uint8Array(32).fill(1), 4);
    expect(() => noteVerifier(witness)).toThrowWithCode('bad-key');
    expect(() => noteSigner(witness)).toThrowWithCode('bad-key');
  });

  test('no byte of a note can be bumped without being noticed', () => {
    const bytes = utf8(NOTE);
    for (let at = 0; at < bytes.length; at++) {
      const bumped = bytes.slice();
      bumped[at]! ^= 1;
      expect(opens(bumped)).toBe(false);
    }
  });

  test('no part of a note can be left out without being noticed', () => {
    const bytes = utf8(NOTE);
    for (let end = 0; end < bytes.length; end++) expect(opens(bytes.slice(0, end))).toBe(false);
    for (let start = 1; start < bytes.length; start++)
      expect(opens(bytes.slice(start))).toBe(false);
  });
});

test('signature lines alone must be complete', () => {
  expect(() => parseSignatureLines('')).toThrowWithCode('bad-note');
  expect(() => parseSignatureLines('\n')).toThrowWithCode('bad-note');
});

function opens(bytes: Uint8Array): boolean {
  try {
    return openNote(parseNote(bytes), [noteVerifier(KEY)]).ok;
  } catch {
    return false;
  }
}

function bump(signature: NoteSignature): NoteSignature {
  const bytes = signature.signature.slice();
  bytes[5]! ^= 1;
  return { ...signature, signature: bytes };
}
