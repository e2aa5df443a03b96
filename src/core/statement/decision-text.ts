/** A decision in words, for who is about to sign it and for who reads what others signed. */

import { formatBytes } from '../amounts.ts';
import type { Decision } from './decision.ts';

/** What it says, in one line. */
export function describeSaid(decision: Decision): string {
  switch (decision.decision) {
    case 'evaluate':
      return `the suite ${decision.suite} ${decision.result}; report ${decision.report.digest}${
        decision.report.private ? ', kept private' : ''
      }`;
    case 'approve':
      return withReason('these bytes may be released', decision.reason);
    case 'object':
      return `these bytes must not be released: ${decision.reason}`;
    case 'hold':
      return `not now: ${decision.reason}`;
    case 'postpone':
      return decision.until === 'indefinitely'
        ? `not until further notice: ${decision.reason}`
        : `not before ${decision.until}: ${decision.reason}`;
    case 'lift':
      return `what ${decision.lifts} said no longer stands: ${decision.reason}`;
    case 'withdraw':
      return `these bytes are given up, and never published under this name: ${decision.reason}`;
    case 'seal':
      return `sealed; pushed by ${decision.pushers.join(', ')}`;
    case 'publish':
      return withReason('publish these bytes', decision.reason);
  }
}

/** All that matters of what is to be signed, as names and values. */
export function describeToSign(
  decision: Decision,
  { files, size }: { readonly files: number; readonly size: number },
): [string, string][] {
  const { origin, release, revision, n, expires } = decision.context;
  return [
    ['registry', origin],
    ['release', `${release}, revision ${revision}: ${files} files, ${formatBytes(size)}`],
    ['digest', decision.digest],
    ['decision', decision.decision],
    ['says', describeSaid(decision)],
    ...(decision.decision === 'evaluate' ? limits(decision) : []),
    ['number', `${n} of this key on this digest`],
    ['expires', expires],
  ];
}

function limits({ harness, thresholds }: Extract<Decision, { decision: 'evaluate' }>) {
  const lines: [string, string][] = [];
  if (harness !== undefined) lines.push(['harness', harness]);
  if (thresholds !== undefined) lines.push(['thresholds', thresholds]);
  return lines;
}

function withReason(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text}: ${reason}`;
}
