/**
 * `status REF`: state of a draft, its sealed digest, and its gate as a checklist: what the
 * policy asks for, who has said what when, what is missing, and what would satisfy it.
 */
import type { Command } from 'commander';
import type { DraftStatus } from '../../client/answers.ts';
import type { Api } from '../../client/api.ts';
import { readPolicyInForce } from '../../client/policy-in-force.ts';
import { decisionIn } from '../../client/receipts.ts';
import { formatBytes } from '../../core/amounts.ts';
import { type Checklist, makeChecklist } from '../../core/release/checklist.ts';
import { parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { Policy } from '../../core/release/policy.ts';
import { isGated } from '../../core/release/requirements.ts';
import type { Decision } from '../../core/statement/decision.ts';
import { envelopeFromJson, formatEnvelope } from '../../core/statement/dsse.ts';
import { describeChecklist } from '../checklist.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { type Line, toned } from '../paint.ts';
import { openApiWithToken } from '../reach.ts';
import { paintFields } from '../table.ts';

export function makeCommand(run: Run): Command {
  return declare('status', 'status acme/kimi-k2@v1.0')
    .argument('<ref>', 'namespace/name@version')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(showStatus));
}

async function showStatus(context: Context, _flags: SharedFlags, reference: string): Promise<void> {
  const { signal, output } = context;
  const release = parseReleaseName(reference);
  const api = await openApiWithToken(context);
  const status = await api.draftStatus(release, { signal });
  const policy = await readPolicyInForce(api, release, status, signal);
  const statements = await readStatements(api, release, status, policy, signal);
  const checklist = policy && makeChecklist(status, policy, statements);
  const document = checklist === undefined ? status : { ...status, checklist: checklist.rows };
  output.result(document, describeStatus(status, policy, checklist));
}

/** What was signed, by the digest of the envelope. */
async function readStatements(
  api: Api,
  release: ReleaseName,
  { state, decisions }: DraftStatus,
  policy: Policy | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Decision>> {
  const statements = new Map<string, Decision>();
  const isDecided = state === 'sealed' && decisions.length > 0;
  if (policy === undefined || !isGated(policy.gate) || !isDecided) return statements;
  const shown = await api.decisions(release, { signal });
  for (const { digest, envelope: json } of shown.decisions) {
    const { payloadType, payload, signature } = envelopeFromJson(json, 'a decision');
    const envelope = formatEnvelope(payloadType, payload, signature);
    statements.set(digest, decisionIn({ envelope }));
  }
  return statements;
}

function describeStatus(
  status: DraftStatus,
  policy: Policy | undefined,
  checklist: Checklist | undefined,
): Line[] {
  const { reference, state, revision, digest, index, policyIndex, seal } = status;
  const fields: [string, string][] = [
    ['release', reference],
    ['state', `${state}, revision ${revision}`],
  ];
  if (digest !== undefined) fields.push(['digest', digest]);
  if (index !== undefined) fields.push(['entry', `${index} of the log`]);
  if (policy !== undefined) fields.push(['policy', describePolicy(policy, policyIndex)]);
  if (seal?.running === true) {
    fields.push(['sealing', `${formatBytes(seal.bytes)} of ${formatBytes(seal.total)} read`]);
  }
  if (seal?.running === false) fields.push(['seal failed', seal.error.message]);
  return [...paintFields(fields), ...describeGate(status, checklist)];
}

function describePolicy({ gate, version }: Policy, index: number | undefined): string {
  const kind = isGated(gate) ? 'gated' : 'solo: a token and the digest';
  return `version ${version}, entry ${index} of the log (${kind})`;
}

function describeGate(status: DraftStatus, checklist: Checklist | undefined): Line[] {
  if (checklist === undefined) return describeMissing(status);
  const { rows } = checklist;
  if (status.state === 'withdrawn') return describeWithdrawal(status);
  if (status.state === 'published') return [];
  if (rows.length === 0) {
    if (status.state !== 'sealed') return [];
    return [`nothing is missing: weighhouse publish ${status.reference} --digest ${status.digest}`];
  }
  const missing = rows.filter(({ met }) => !met).length;
  const head =
    missing === 0
      ? toned('good', 'gate: everything is met')
      : toned('warn', `gate: ${missing} of ${rows.length} missing`);
  return ['', [head], ...describeChecklist(checklist)];
}

/** Who signed it; nothing where a token was enough. */
function describeWithdrawal({ decisions, revision }: DraftStatus): string[] {
  return decisions
    .filter((each) => each.decision === 'withdraw' && each.revision === revision)
    .map(({ person, detail, index, time }) => {
      return `withdrawn by ${person} (entry ${index}, ${time}): ${detail}`;
    });
}

function describeMissing({ missing }: DraftStatus): string[] {
  return missing.map(
    ({ message, waitsFor }) => `lacks: ${message} (waits for ${waitsFor.join(', ')})`,
  );
}
