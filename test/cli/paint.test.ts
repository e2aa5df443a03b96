/** Colour is for terminals, and for nobody who asked for none; strangers’ words bring none of their own. */
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createOutput } from '../../src/cli/output.ts';
import { type Line, toned } from '../../src/cli/paint.ts';
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
