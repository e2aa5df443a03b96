/** Text in aligned columns. */

/** `right` for numbers. */
export type Align = 'left' | 'right';

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
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
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
  return cells.join('  ').trimEnd();
}
