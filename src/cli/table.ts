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
  const widths = headings.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) => formatRow(row, widths, align));
}

/** Names and values, the values aligned. */
export function formatFields(fields: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
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
