/** Colour is for terminals, and for nobody who asked for none; strangers’ words bring none of their own. */
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createOutput } from '../../src/cli/output.ts';
import { hanging, type Line, paint, toned } from '../../src/cli/paint.ts';
import type { Screen } from '../../src/cli/world.ts';

const LINE: Line = [toned('good', 'met'), ' by ', toned('bad', '\u001b[31mmallory')];

function shown(options: { isTTY?: boolean; noColor?: boolean; json?: boolean } = {}): string {
  const { isTTY = false, noColor = false, json = false } = options;
  const stdout = Object.assign(new PassThrough(), { isTTY });
  createOutput({ json, noColor, stdout: stdout as Screen, stderr: new PassThrough() }).result(
    { ok: true },
    [LINE],
  );
  return String(stdout.read());
}

test('a terminal sees colours', () => {
  expect(shown({ isTTY: true })).toBe(
    '\u001b[32mmet\u001b[39m by \u001b[31m\ufffd[31mmallory\u001b[39m\n',
  );
});

test('a file sees none, nor does who asked for none', () => {
  const plain = 'met by \ufffd[31mmallory\n';
  expect(shown()).toBe(plain);
  expect(shown({ isTTY: true, noColor: true })).toBe(plain);
});

test('a document has none', () => {
  expect(shown({ isTTY: true, json: true })).toBe('{"ok":true}\n');
});

describe('a line that goes on below a column', () => {
  const wide = (columns: number | undefined, ...parts: Parameters<typeof hanging>[1][]) =>
    paint(hanging(4, ...parts), { isColoured: true, columns }, (text) => text);
  const words = 'aaaaaaaaaa bbbbbbbbbb cccccccccc';

  test('goes on there with the words that have no room, and not one column sooner', () => {
    expect(wide(36, '    ', words)).toBe(`    ${words}`);
    expect(wide(35, '    ', words)).toBe('    aaaaaaaaaa bbbbbbbbbb\n    cccccccccc');
  });

  test('keeps the tone of its words', () => {
    expect(wide(30, 'it: ', toned('bad', words))).toBe(
      'it: \u001b[31maaaaaaaaaa bbbbbbbbbb\n    cccccccccc\u001b[39m',
    );
  });

  test('is left to a terminal in which no sentence has room, and whole in a file', () => {
    expect(wide(28, '    ', words)).toContain('\n');
    expect(wide(27, '    ', words)).not.toContain('\n');
    expect(wide(undefined, '    ', words)).not.toContain('\n');
  });

  test('has all of its words in their order, each line within the width or one word', () => {
    const part = fc.oneof(
      fc.stringMatching(/^[a-z]{1,40}$/),
      fc.stringMatching(/^[a-z]{0,9}( [a-z]{1,9}){0,20} ?$/),
    );
    fc.assert(
      fc.property(fc.array(part), fc.integer({ min: 28, max: 60 }), (parts, columns) => {
        const tones = parts.map((text, i) => (i % 2 === 0 ? text : toned('warn', text)));
        const lines = stripVTControlCharacters(wide(columns, '    ', ...tones)).split('\n');
        expect(lines.map((line) => line.slice(4)).join(' ')).toBe(parts.join(''));
        for (const line of lines) {
          expect(line.slice(0, 4)).toBe('    ');
          if (line.length > columns) expect(line.slice(4).trimEnd()).not.toContain(' ');
        }
      }),
    );
  });
});
