/**
 * Receipts: what the signer of a decision keeps, so that nobody can lose it for them. Written
 * before anything is sent, kept for ever. Canonical JSON:
 *
 *     v         1
 *     origin    the registry
 *     release   "namespace/name@version"
 *     digest    D, the sealed digest that was decided about
 *     n         how many decisions that key had made on D before
 *     label     of the commitment, hex
 *     salt      hex; secret until the release
 *     envelope  base64 of the signed envelope; secret until the release
 *     index     of the commitment in the log; null until it is there
 *     proof     C2SP tlog-proof of that entry; null until it is there
 *     state     "signed", then "logged", then "recorded"; or "dropped"
 *
 * `logged` means that the log was seen to hold the commitment, `recorded` that the registry has
 * the decision itself, too. `dropped` is a decision that never came into the log: another took
 * its number, or what it was about is no longer sealed.
 */
import * as v from 'valibot';
import { formatBase64, parseBase64 } from '../core/bytes.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { MAX_TLOG_PROOF_BYTES } from '../core/log/tlog-proof.ts';
import { type Commitment, decisionCommit, decisionLabel } from '../core/release/commitment.ts';
import { base64, count, digest, hex32, parseShape } from '../core/shape.ts';
import { type Decision, parseDecision } from '../core/statement/decision.ts';
import { MAX_DECISION_BYTES } from '../core/statement/decision-context.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import { statementPayload } from '../core/statement/in-toto.ts';
import type { Spki } from '../core/statement/public-key.ts';

const receiptSchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  release: v.string(),
  digest,
  n: count,
  label: hex32,
  salt: hex32,
  envelope: base64(2 * MAX_DECISION_BYTES),
  index: v.nullable(count),
  proof: v.nullable(v.pipe(v.string(), v.maxLength(MAX_TLOG_PROOF_BYTES))),
  state: v.picklist(['signed', 'logged', 'recorded', 'dropped']),
});

type Document = v.InferOutput<typeof receiptSchema>;

/** What the signer keeps of one decision. */
export type Receipt = Readonly<Omit<Document, 'v' | 'envelope'>> & {
  /** Canonical bytes of the DSSE envelope. */
  readonly envelope: Uint8Array;
};

/** Where receipts are kept: on disk by `transfer/receipts-disk.ts`. */
export interface ReceiptStore {
  /** Every receipt of that registry. */
  all(origin: Origin): Promise<readonly Receipt[]>;
  /** Keeps a new one, durably; false when there is one with that label already. */
  add(receipt: Receipt): Promise<boolean>;
  /** Replaces one by what is known of it now, durably. */
  save(receipt: Receipt): Promise<void>;
}

/** Canonical bytes of a receipt. */
export function formatReceipt({ envelope, ...rest }: Receipt): Uint8Array {
  return formatCanonical({ ...rest, v: 1, envelope: formatBase64(envelope) });
}

/** Throws `bad-json`, `bad-document`, and what the decision in it throws when it is read. */
export function parseReceipt(bytes: Uint8Array, what: string): Receipt {
  const { v: _, envelope, ...rest } = parseShape(receiptSchema, parseCanonical(bytes, what), what);
  const receipt = { ...rest, envelope: parseBase64(envelope) };
  const { digest, context } = decisionIn(receipt);
  const isOfIt =
    digest === receipt.digest &&
    context.origin === receipt.origin &&
    context.release === receipt.release &&
    context.n === receipt.n;
  if (isOfIt) return receipt;
  throw new CodedError('bad-document', `${what} is of another decision than the one that it holds`);
}

/** The decision that a receipt is of. */
export function decisionIn({ envelope }: Pick<Receipt, 'envelope'>): Decision {
  return parseDecision(statementPayload(parseEnvelope(envelope), 'the decision'));
}

/** The digest that names the decision: of its envelope. */
export function nameOf(
  host: Pick<Host, 'sha256'>,
  { envelope }: Pick<Receipt, 'envelope'>,
): Digest {
  return digestOf(host, envelope);
}

/** What is, or is to be, in the log. */
export function commitmentOf(host: Pick<Host, 'sha256'>, receipt: Receipt): Commitment {
  const { label, salt } = receipt;
  return { label, commit: decisionCommit(host, label, salt, nameOf(host, receipt)) };
}

/** The receipt of a decision that was signed with the key `spki` just now. `salt` in hex. */
export function newReceipt(
  host: Pick<Host, 'sha256'>,
  spki: Spki,
  envelope: Uint8Array,
  salt: string,
): Receipt {
  const { digest, context } = decisionIn({ envelope });
  const { origin, release, n } = context;
  const label = decisionLabel(host, digest, spki, n);
  const begun = { index: null, proof: null, state: 'signed' } as const;
  return { origin, release, digest, n, label, salt, envelope, ...begun };
}
