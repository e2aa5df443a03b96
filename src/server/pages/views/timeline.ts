/** What the log says of a model, oldest first, as a line through time. */
import type { CatalogueEvent } from '../../../index/catalogue.ts';
import { type Html, html } from '../html.ts';
import { entry, moment, sentence } from '../pieces.ts';

export function timeline(events: readonly CatalogueEvent[]): Html {
  return html`<ol class="timeline">${events.map(
    ({ kind, time, text, index }) => html`
<li class="${kind}"><span class="when">${moment(time)}</span><span>${sentence(text)}</span> <span class="small">${entry(index)}</span></li>`,
  )}</ol>`;
}
