/**
 * How much of each layer changed, as a picture: a column for a layer, filled as far as its bytes
 * differ. What it shows stands in a table, too.
 */
import type { Layer, Stack, Stacks } from '../../../core/weights/layers.ts';
import { type Html, html } from '../html.ts';
import { bytes, number } from '../pieces.ts';

/** Units of the drawing: a column with the gap after it, the height of all of it, and the numbers below. */
const COLUMN = 12;
const GAP = 2;
const HEIGHT = 56;
const BELOW = 14;
/** Columns of one row of the picture: with more, a telephone shows threads. */
const COLUMNS = 32;
/** Modules outside of the layers that are named above the picture. */
const MODULES_NAMED = 5;
/** Layers between two numbers. */
const NUMBERED = 8;

export function layerPictures({ stacks, more }: Stacks): Html {
  return html`
<p class="legend"><span class="key changed"></span> as much of it is other bytes <span class="key added"></span> added <span class="key removed"></span> removed</p>
${stacks.map(stackFigure)}
${more > 0 && html`<p class="small">And ${number(more)} further groups of layers.</p>`}
<details><summary>The same as a table</summary>${stacks.map(stackTable)}</details>`;
}

function stackFigure(stack: Stack): Html {
  const { name, layers, more } = stack;
  const rows = inRows(layers);
  const width = Math.min(layers.length, COLUMNS) * COLUMN - GAP;
  return html`<figure class="layers"><figcaption>${titleOf(stack)} <span class="small">${summary(layers)}${name === '' && touchedNames(layers)}${more > 0 && `, ${number(more)} more are not shown`}</span></figcaption>
${rows.map(
  (row, i) =>
    html`<svg viewBox="0 0 ${width} ${HEIGHT + BELOW}" width="${width * 2}" role="img" aria-label="${rowLabel(stack, row)}">${row.map(
      (layer, column) =>
        columnOf(layer, column, name !== '' && (i * COLUMNS + column) % NUMBERED === 0),
    )}</svg>`,
)}</figure>`;
}

function inRows(layers: readonly Layer[]): (readonly Layer[])[] {
  const count = Math.ceil(layers.length / COLUMNS);
  return Array.from({ length: count }, (_, i) => layers.slice(i * COLUMNS, (i + 1) * COLUMNS));
}

function columnOf(layer: Layer, column: number, isNumbered: boolean): Html {
  const x = column * COLUMN;
  const width = COLUMN - GAP;
  const share = shareOf(layer);
  // A single byte that differs can be seen.
  const height = share === 0 ? 0 : Math.max(2, Math.round(share * HEIGHT));
  const kind = layer.only ?? 'changed';
  return html`<g><title>${layer.name}: ${describe(layer)}</title><rect class="whole" x="${x}" y="0" width="${width}" height="${HEIGHT}" rx="1"/>${height > 0 && html`<rect class="${kind}" x="${x}" y="${HEIGHT - height}" width="${width}" height="${height}" rx="1"/>`}${isNumbered && html`<text x="${x + width / 2}" y="${HEIGHT + 11}">${layer.name}</text>`}</g>`;
}

function stackTable(stack: Stack): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${titleOf(stack)}"><table><caption>${titleOf(stack)}</caption><thead><tr><th>${stack.name === '' ? 'Module' : 'Layer'}</th><th class="figure">Tensors</th><th class="figure">Of them differ</th><th class="figure">Bytes that differ</th><th class="figure">Share</th></tr></thead><tbody>${stack.layers.map(
    (layer) => html`
<tr><th scope="row">${layer.name}${layer.only && html` <span class="fate ${layer.only}">${layer.only}</span>`}</th><td class="figure">${number(layer.tensors)}</td><td class="figure">${number(layer.changed)}</td><td class="figure">${bytes(layer.changedBytes)}</td><td class="figure">${percent(shareOf(layer))}</td></tr>`,
  )}</tbody></table></div>`;
}

function titleOf({ name }: Stack): string {
  return name === '' ? 'Outside of the layers' : name;
}

function summary(layers: readonly Layer[]): string {
  const touched = layers.filter(({ changed }) => changed > 0).length;
  return `${number(touched)} of ${number(layers.length)} differ`;
}

/** Modules have no numbers to go by: the first that differ are named. */
function touchedNames(layers: readonly Layer[]): string {
  const names = layers.filter(({ changed }) => changed > 0).map(({ name }) => name);
  if (names.length === 0) return '';
  const more = names.length > MODULES_NAMED ? ', …' : '';
  return `: ${names.slice(0, MODULES_NAMED).join(', ')}${more}`;
}

function rowLabel(stack: Stack, row: readonly Layer[]): string {
  const range = row.length === 1 ? row[0]!.name : `${row[0]!.name} to ${row.at(-1)!.name}`;
  return `${titleOf(stack)}, ${range}: ${summary(row)}; the table below has each`;
}

function describe(layer: Layer): string {
  if (layer.only !== undefined) return layer.only;
  if (layer.changed === 0) return 'the same';
  return `${percent(shareOf(layer))} of its bytes, ${layer.changed} of ${layer.tensors} tensors`;
}

/** From 0 to 1. Tensors without bytes can differ, too. */
function shareOf({ bytes: all, changedBytes, changed, tensors }: Layer): number {
  return all === 0 ? changed / tensors : changedBytes / all;
}

/** Never 0 % of what differs, nor 100 % of what does not wholly. */
function percent(share: number): string {
  if (share > 0 && share < 0.01) return 'under 1 %';
  if (share < 1 && share > 0.99) return 'over 99 %';
  return `${Math.round(share * 100)} %`;
}
