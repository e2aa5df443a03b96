/** What people have decided about a draft or a release, and what evaluators rest it on. */
import { formatBytes } from '../../../core/amounts.ts';
import type { Digest } from '../../../core/digest.ts';
import type { Policy } from '../../../core/release/policy.ts';
import type { Evaluation } from '../../../core/statement/test-result.ts';
import type { ShownDecision } from '../../../registry/gate-shapes.ts';
import { type Html, html } from '../html.ts';
import { digest, entry, moment, sentence } from '../pieces.ts';

/** A decision, with what an evaluator signed beyond its words. */
export interface DecisionShown extends ShownDecision {
  readonly evaluation?: Pick<Evaluation, 'report' | 'harness' | 'thresholds'>;
}

/** Where a report is had by those who are shown the decisions. */
type AddressOf = (report: Digest) => string;

/** In the order of the log. */
export function decisionTable(
  decisions: readonly DecisionShown[],
  { people }: Policy,
  addressOf: AddressOf,
): Html {
  const names = new Map(people.map(({ id, name }) => [id, name]));
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Decisions"><table><thead><tr><th>Who</th><th>Decided</th><th>When</th><th>Committed</th></tr></thead><tbody>${decisions.map(
    ({ person, decision, detail, evaluation, time, index, revision }) => html`
<tr><td>${names.get(person) ?? (person === 'registry' ? 'The registry' : person)}</td><td><strong>${decision}</strong> ${sentence(detail)}${revision > 1 && html` <span class="small">revision ${revision}</span>`}${evaluation && grounds(addressOf, evaluation)}</td><td>${moment(time)}</td><td>${entry(index)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** The report, and by which program and limits it was made, as far as they are told. */
function grounds(
  addressOf: AddressOf,
  { report, harness, thresholds }: NonNullable<DecisionShown['evaluation']>,
): Html {
  const rows = [
    html`Report ${digest(report.digest)}, ${
      report.private
        ? html`${formatBytes(report.size)}: it is private, and only its digest is public`
        : html`<a href="${addressOf(report.digest)}" download>download ${formatBytes(report.size)}</a>`
    }`,
    harness && html`Harness ${digest(harness)}`,
    thresholds && html`Thresholds ${digest(thresholds)}`,
  ];
  return html`<ul class="grounds small">${rows.map((row) => row && html`<li>${row}</li>`)}</ul>`;
}
