/** Decisions as the people of a namespace are shown them. */
import type { Decision } from '../core/statement/decision.ts';
import { formatEnvelope } from '../core/statement/dsse.ts';
import type { Disclosed } from './docket.ts';
import type { DisclosedDecision, ShownDecision } from './gate-shapes.ts';

/** The decision as a status shows it. */
export function shown({ opened }: Disclosed): ShownDecision {
  const { index, time, digest, signer, statement } = opened;
  const person = signer === 'registry' ? 'registry' : signer.person;
  const { decision, context } = statement;
  const detail = detailOf(statement);
  return { index, time, digest, person, revision: context.revision, decision, detail };
}

/** The decision with all that opens its commitment. */
export function disclosed(decision: Disclosed): DisclosedDecision {
  const { label, salt, envelope } = decision.revealed;
  const { payloadType, payload, signature } = envelope;
  return {
    ...shown(decision),
    label,
    salt,
    envelope: formatEnvelope(payloadType, payload, signature),
  };
}

function detailOf(statement: Decision): string {
  switch (statement.decision) {
    case 'evaluate':
      return `${statement.suite} ${statement.result}`;
    case 'postpone': {
      const { until, reason } = statement;
      return until === 'indefinitely' ? `indefinitely: ${reason}` : `until ${until}: ${reason}`;
    }
    case 'lift':
      return `${statement.lifts}: ${statement.reason}`;
    case 'seal':
      return `pushed by ${statement.pushers.join(', ')}`;
    default:
      return statement.reason ?? '';
  }
}
