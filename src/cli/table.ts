/** Text in aligned columns. */
import { hanging, type Line, type Tone, toned } from './paint.ts';

/** `right` for numbers. */
export type Align = 'left' | 'right';

/** Between columns. */
const GAP = '  ';

/** A line for each row, under the headings; columns are two spaces apart. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string[] {
  const all = [headings, ...rows];
  const widths = headings.map((_, i) => widest(all.map((row) => row[i]!)));
  return all.map((row) => formatRow(row, widths, align));
}

/** Names and values, the values aligned. */
export function formatFields(fields: readonly (readonly [string, string])[]): string[] {
  const width = widest(fields.map(([name]) => name));
  return fields.map(([name, value]) => `${name.padEnd(width)}${GAP}${value}`);
}

/** As `formatFields`, the names faint. */
export function paintFields(fields: readonly (readonly [string, string])[]): Line[] {
  const width = widest(fields.map(([name]) => name));
  return fields.map(([name, value]) =>
    hanging(width + GAP.length, toned('faint', name.padEnd(width)), `${GAP}${value}`),
  );
}

/** As `formatTable`, the headings faint and the last column broken by words; `tone` says how a row looks, where it looks like anything. */
export function paintTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[],
  tone: (row: readonly string[]) => Tone | undefined,
): Line[] {
  const [first = '', ...lines] = formatTable(headings, rows, align);
  const last = first.length - headings.at(-1)!.length;
  return [
    [toned('faint', first)],
    ...lines.map((line, i): Line => {
      const found = tone(rows[i]!);
      return hanging(last, found === undefined ? line : toned(found, line));
    }),
  ];
}

/** The length of the longest: a release may have more tensors than a call may have arguments. */
function widest(cells: readonly string[]): number {
  return cells.reduce((width, { length }) => Math.max(width, length), 0);
}

function formatRow(
  row: readonly string[],
  widths: readonly number[],
  align: readonly Align[],
): string {
  const cells = row.map((cell, i) =>
    align[i] === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
  );
  return cells.join(GAP).trimEnd();
}
