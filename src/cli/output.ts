/**
 * What a command says. With `--json` exactly one document goes to standard output (one a
 * line for commands that follow something); what is meant for people goes to standard error,
 * or to standard output when there is no `--json`.
 */
import { styleText } from 'node:util';
import type { CodedError } from '../core/error.ts';
import { type Line, paint } from './paint.ts';
import type { Screen } from './world.ts';

export interface Output {
  readonly json: boolean;
  /** The command's result: the JSON document, or the lines for people. */
  result(document: unknown, lines: readonly Line[]): void;
  /** Something that a person should know meanwhile; never part of the result. */
  say(line: string): void;
  warn(line: string): void;
  /** Raw text as the result, for people: an export, a key. */
  text(text: string): void;
  failure(error: CodedError): void;
}

/**
 * A line as a terminal may show it. Names and summaries come from strangers: nothing in them
 * may move the cursor, change colours, or turn the direction of writing around.
 */
export function plainText(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}

export interface OutputOptions {
  readonly json: boolean;
  readonly noColor: boolean;
  readonly stdout: Screen;
  readonly stderr: Screen;
}

export function createOutput({ json, noColor, stdout, stderr }: OutputOptions): Output {
  const colour = (name: Parameters<typeof styleText>[0], text: string) =>
    noColor || stderr.isTTY !== true
      ? text
      : styleText(name, text, { stream: stderr, validateStream: false });
  const surface = {
    isColoured: !noColor && stdout.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns : undefined,
  };
  const say = (line: string) => void stderr.write(`${line}\n`);
  const answer = (document: unknown) => void stdout.write(`${JSON.stringify(document)}\n`);
  return {
    json,
    result(document, lines) {
      if (json) answer(document);
      else for (const line of lines) stdout.write(`${paint(line, surface, plainText)}\n`);
    },
    say: (line) => say(plainText(line)),
    warn: (line) => say(`${colour('yellow', 'warning:')} ${plainText(line)}`),
    text: (text) => void stdout.write(text),
    failure({ code, message, details }) {
      say(`${colour('red', 'error:')} ${plainText(message)}`);
      if (json) answer({ error: { code, message, details } });
    },
  };
}
