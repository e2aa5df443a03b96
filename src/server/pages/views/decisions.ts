/** What people have decided about a draft or a release, in the order of the log. */
import type { Policy } from '../../../core/release/policy.ts';
import type { ShownDecision } from '../../../registry/gate-shapes.ts';
import { type Html, html } from '../html.ts';
import { entry, moment, sentence } from '../pieces.ts';

export function decisionTable(decisions: readonly ShownDecision[], { people }: Policy): Html {
  const names = new Map(people.map(({ id, name }) => [id, name]));
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Decisions"><table><thead><tr><th>Who</th><th>Decided</th><th>When</th><th>Committed</th></tr></thead><tbody>${decisions.map(
    ({ person, decision, detail, time, index, revision }) => html`
<tr><td>${names.get(person) ?? (person === 'registry' ? 'The registry' : person)}</td><td><strong>${decision}</strong> ${sentence(detail)}${revision > 1 && html` <span class="small">revision ${revision}</span>`}</td><td>${moment(time)}</td><td>${entry(index)}</td></tr>`,
  )}</tbody></table></div>`;
}
