/**
 * The growth of the log as a line. The lines alone are a picture, which takes any width; what is
 * written on its axes is text of the page, so that it is as large as the rest on every screen.
 */

import type { GrowthPoint } from '../growth.ts';
import { type Html, html } from '../html.ts';
import { instantFormat, moment, number } from '../pieces.ts';

/** Units of the picture on each side; a browser stretches it. */
const SIDE = 1_000;
/** Lines across, the lowest one at none. */
const LINES = 4;

export function growthChart(points: readonly GrowthPoint[]): Html {
  const drawn = inOrder(points);
  const [first, last] = [drawn.at(0), drawn.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) {
    return html`<p class="empty">The log is too young for a picture of its growth.</p>`;
  }
  const top = roundUp(last.size);
  const x = (at: number) => round(((at - first.at) / (last.at - first.at)) * SIDE);
  const y = (size: number) => round(SIDE - (size / top) * SIDE);
  const line = drawn.map(({ at, size }) => `${x(at)},${y(size)}`).join(' ');
  const label = instantFormat(last.at - first.at);
  const across = Array.from({ length: LINES + 1 }, (_, i) => (top / LINES) * i);
  return html`<figure class="chart">
<div class="plot">
<div class="scale-y" aria-hidden="true">${across.toReversed().map((size) => html`<span>${number(size)}</span>`)}</div>
<svg viewBox="0 0 ${SIDE} ${SIDE}" preserveAspectRatio="none" role="img" aria-labelledby="growth-title growth-text"><title id="growth-title">Entries of the log over time</title><desc id="growth-text">From ${number(first.size)} on ${label(first.at)} to ${number(last.size)} on ${label(last.at)}, in UTC; the table below has the figures.</desc>
${across.map((size) => html`<line class="across" x1="0" x2="${SIDE}" y1="${y(size)}" y2="${y(size)}"/>`)}
<polygon class="area" points="0,${SIDE} ${line} ${SIDE},${SIDE}"/><polyline class="line" points="${line}"/></svg>
<div class="scale-x" aria-hidden="true">${[first.at, (first.at + last.at) / 2, last.at].map((at) => html`<span>${label(at)}</span>`)}</div>
</div>
<figcaption class="small">Entries over time, in UTC, by ${number(drawn.length)} of them.</figcaption>
<details><summary>The figures</summary><div class="scroll" tabindex="0" role="group" aria-label="Growth"><table><thead><tr><th>When</th><th class="figure">Entries</th></tr></thead><tbody>${drawn.map(
    ({ at, size }) => html`
<tr><td>${moment(new Date(at).toISOString())}</td><td class="figure">${number(size)}</td></tr>`,
  )}</tbody></table></div></details>
</figure>`;
}

/** A log grows by its order, not by its times: where a clock went back, the line stands still. */
function inOrder(points: readonly GrowthPoint[]): { size: number; at: number }[] {
  let latest = Number.NEGATIVE_INFINITY;
  return points.map(({ size, time }) => {
    latest = Math.max(latest, Date.parse(time));
    return { size, at: latest };
  });
}

/** The next number of which a quarter is short to read: 4, 8, 20, 40, 80, 200, … */
function roundUp(size: number): number {
  for (let unit = 1; ; unit *= 10) {
    for (const factor of [1, 2, 5]) {
      if (LINES * factor * unit >= size) return LINES * factor * unit;
    }
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
