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

/** A line for people. */
export type Line = string | readonly (string | Toned)[];

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  faint: 'dim',
  strong: 'bold',
};

export function toned(tone: Tone, text: string): Toned {
  return { tone, text };
}

/** The line as a screen shows it; `plain` makes each part fit to be shown. */
export function paint(line: Line, isColoured: boolean, plain: (text: string) => string): string {
  if (typeof line === 'string') return plain(line);
  return line
    .map((part) => {
      if (typeof part === 'string') return plain(part);
      const text = plain(part.text);
      return isColoured ? styleText(STYLES[part.tone], text, { validateStream: false }) : text;
    })
    .join('');
}
