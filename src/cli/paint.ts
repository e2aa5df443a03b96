/**
 * Lines whose parts have a tone. On a terminal a tone is a colour; anywhere else, and where
 * somebody asked for none, it is nothing: what a line says must be in its words.
 */
import { styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'warn' | 'faint' | 'strong';

export interface Toned {
  readonly tone: Tone;
  readonly text: string;
}

type Part = string | Toned;

/** A line whose words, on a terminal that is narrower, go on below column `hang`. */
export interface Hanging {
  readonly hang: number;
  readonly parts: readonly Part[];
}

/** A line for people. */
export type Line = string | readonly Part[] | Hanging;

export interface Surface {
  readonly isColoured: boolean;
  /** Of the terminal; undefined where nothing is to be broken. */
  readonly columns: number | undefined;
}

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  faint: 'dim',
  strong: 'bold',
};

/** With fewer columns than these left to the words, lines are left to the terminal. */
const MIN_WORDS_WIDTH = 24;

export function toned(tone: Tone, text: string): Toned {
  return { tone, text };
}

/** Words that go on below column `hang`. What people copy, a command, is no such line. */
export function hanging(hang: number, ...parts: readonly Part[]): Hanging {
  return { hang, parts };
}

/** The line as a screen shows it; `plain` makes each part fit to be shown. */
export function paint(line: Line, surface: Surface, plain: (text: string) => string): string {
  if (typeof line === 'string') return plain(line);
  const parts = partsOf(line).map((part) =>
    typeof part === 'string' ? plain(part) : toned(part.tone, plain(part.text)),
  );
  const broken = 'hang' in line ? breakWords(parts, line.hang, surface.columns) : parts;
  return broken
    .map((part) => {
      if (typeof part === 'string') return part;
      if (!surface.isColoured) return part.text;
      return styleText(STYLES[part.tone], part.text, { validateStream: false });
    })
    .join('');
}

function partsOf(line: readonly Part[] | Hanging): readonly Part[] {
  return 'hang' in line ? line.parts : line;
}

/** The same words, some of them on lines of their own. */
function breakWords(
  parts: readonly Part[],
  hang: number,
  columns: number | undefined,
): readonly Part[] {
  if (columns === undefined || columns - hang < MIN_WORDS_WIDTH) return parts;
  const texts = parts.map((part) => (typeof part === 'string' ? part : part.text));
  const breaks = breaksIn(texts.join(''), hang, columns);
  const margin = `\n${' '.repeat(hang)}`;
  let begin = 0;
  return parts.map((part, i) => {
    const text = texts[i]!;
    const inIt = breaks.filter((at) => at >= begin && at < begin + text.length);
    const pieces = [-1, ...inIt.map((at) => at - begin)].map((at, n, all) =>
      text.slice(at + 1, all[n + 1]),
    );
    begin += text.length;
    const broken = pieces.join(margin);
    return typeof part === 'string' ? broken : toned(part.tone, broken);
  });
}

/** The blanks at which a new line begins: each word stands on the line that has room for it. */
function breaksIn(text: string, hang: number, columns: number): number[] {
  const breaks: number[] = [];
  /** What makes a place in the text a column of the line that it is on. */
  let shift = 0;
  let blank: number | undefined;
  for (let end = 0; end <= text.length; end++) {
    if (end < text.length && text[end] !== ' ') continue;
    if (end + shift > columns && blank !== undefined) {
      breaks.push(blank);
      shift = hang - (blank + 1);
    }
    blank = end + shift > hang ? end : undefined;
  }
  return breaks;
}
