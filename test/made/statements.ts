/** Signed decisions and their commitments, for tests that open them. */
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { makeCommitment } from '../../src/core/release/commitment.ts';
import type { LoggedCommitment } from '../../src/core/release/opened-decision.ts';
import { type Decision, formatDecision } from '../../src/core/statement/decision.ts';
import type { DecisionContext } from '../../src/core/statement/decision-context.ts';
import { type Envelope, formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../src/core/statement/in-toto.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { day, RELEASE, type Said, SEALED } from './decisions.ts';
import { ORIGIN } from './model-signature.ts';
import type { MadeKey } from './p256.ts';

export const SALT = '5a'.repeat(32);

export const CONTEXT: DecisionContext = {
  origin: ORIGIN,
  release: RELEASE,
  revision: 1,
  n: 0,
  previous: null,
  checkpoint: { size: 7, root: digestOf(nodeHost, utf8('root')) },
  time: day(0),
  expires: day(30),
  nonce: '00'.repeat(32),
};

/** One of each kind of decision. */
export const SAID: readonly Said[] = [
  { decision: 'approve' },
  { decision: 'approve', reason: 'Good\nwork' },
  { decision: 'object', reason: 'The licence of a data set' },
  { decision: 'hold', reason: 'Wait' },
  { decision: 'postpone', until: day(20), reason: 'More tests' },
  { decision: 'postpone', until: 'indefinitely', reason: 'More tests' },
  { decision: 'lift', lifts: SEALED, reason: 'Solved' },
  { decision: 'withdraw', reason: 'Another base model' },
  { decision: 'seal', pushers: ['ci@github', 'pat'] },
  { decision: 'publish' },
  {
    decision: 'evaluate',
    suite: 'safety',
    result: 'warned',
    report: { digest: SEALED, size: 10 },
  },
  {
    decision: 'evaluate',
    suite: 'safety',
    result: 'passed',
    harness: SEALED,
    thresholds: SEALED,
    report: { digest: SEALED, size: 10, private: true },
  },
];

export function decided(said: Said, context: Partial<DecisionContext> = {}): Decision {
  return { ...said, digest: SEALED, context: { ...CONTEXT, ...context } } as Decision;
}

export function signed(key: MadeKey, decision: Decision): Envelope {
  const payload = formatDecision(decision);
  const signature = key.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
  return { payloadType: IN_TOTO_PAYLOAD_TYPE, payload, signature };
}

export function envelopeDigest({ payloadType, payload, signature }: Envelope) {
  return digestOf(nodeHost, formatEnvelope(payloadType, payload, signature));
}

/** The commitment of that key to the envelope, logged at ten times the day. */
export function committed(
  key: MadeKey,
  decision: Decision,
  envelope: Envelope,
  days = 1,
): LoggedCommitment {
  const made = makeCommitment(nodeHost, {
    digest: decision.digest,
    spki: key.spki,
    n: decision.context.n,
    salt: SALT,
    envelope: envelopeDigest(envelope),
  });
  return { ...made, index: days * 10, time: day(days) };
}
