/**
 * Commitments: how a decision is in the log before anybody can read it, and how it is found
 * there by those who know where to look. The leaf is
 *
 *     {"commit":C,"kind":"commitment","label":L,"time":"2026-02-01T12:00:00.000Z","v":1}
 *
 *     L = SHA-256("weighhouse/decision-label/v1\n" ‖ D ‖ SHA-256(SPKI DER) ‖ n as 4 bytes, big-endian)
 *     C = SHA-256("weighhouse/decision-commit/v1\n" ‖ L ‖ salt ‖ SHA-256(envelope))
 *
 * D is the sealed digest, SPKI the signer's key, n counts the signer's decisions on D from 0,
 * the salt is 32 random bytes of the signer's client. While D is secret the leaf tells nobody
 * anything: not the model, not the signer, not even that two leaves are of one draft. Once D is
 * published, everybody can compute the labels of every key of the policy, for n = 0, 1, 2 …
 * until one is absent, and ask for what stands behind each: nothing that was committed can be
 * left out. The commit binds one envelope, so what is shown later is what was decided then.
 */
import { concat, formatHex, parseHex, utf8 } from '../bytes.ts';
import { type Digest, digestBytes } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { MAX_DECISIONS_PER_SIGNER } from '../statement/decision-context.ts';
import type { Spki } from '../statement/public-key.ts';
import { refusal, type Verdict } from '../verdict.ts';

const LABEL_DOMAIN = utf8('weighhouse/decision-label/v1\n');
const COMMIT_DOMAIN = utf8('weighhouse/decision-commit/v1\n');
const SALT_BYTES = 32;

type Hashing = Pick<Host, 'sha256'>;

/** A commitment as it stands in the log, both in hex. */
export interface Commitment {
  readonly label: string;
  readonly commit: string;
}

/** What shows that a commitment was made to one decision. */
export interface Opening {
  /** D. */
  readonly digest: Digest;
  readonly spki: Spki;
  readonly n: number;
  /** In hex. */
  readonly salt: string;
  /** Digest of the decision's envelope. */
  readonly envelope: Digest;
}

/** The label of a signer's n-th decision on D, in hex. */
export function decisionLabel(host: Hashing, digest: Digest, spki: Spki, n: number): string {
  if (!Number.isInteger(n) || n < 0 || n >= MAX_DECISIONS_PER_SIGNER) {
    throw new CodedError(
      'too-large',
      `one signer makes at most ${MAX_DECISIONS_PER_SIGNER} decisions on one digest`,
    );
  }
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, n);
  const signer = host.sha256(spki);
  return formatHex(host.sha256(concat(LABEL_DOMAIN, digestBytes(digest), signer, number)));
}

/** What is logged beside that label, in hex. Throws `bad-encoding` for a salt that is not 32 bytes. */
export function decisionCommit(
  host: Hashing,
  label: string,
  salt: string,
  envelope: Digest,
): string {
  const parts = [parseHex(label, 32), parseHex(salt, SALT_BYTES), digestBytes(envelope)];
  return formatHex(host.sha256(concat(COMMIT_DOMAIN, ...parts)));
}

/** The commitment to log. */
export function makeCommitment(host: Hashing, opening: Opening): Commitment {
  const { digest, spki, n, salt, envelope } = opening;
  const label = decisionLabel(host, digest, spki, n);
  return { label, commit: decisionCommit(host, label, salt, envelope) };
}

/** Was this commitment made to that decision? */
export function checkCommitment(
  host: Hashing,
  logged: Commitment,
  opening: Opening,
): Verdict<object> {
  const made = makeCommitment(host, opening);
  if (made.label !== logged.label) {
    return refusal(
      'untrusted',
      'the commitment has the label of another signer, digest or number than its decision',
      { logged, made },
    );
  }
  if (made.commit !== logged.commit) {
    return refusal(
      'digest-mismatch',
      'the commitment in the log was made to another envelope, or with another salt',
      { logged, made },
    );
  }
  return { ok: true };
}
