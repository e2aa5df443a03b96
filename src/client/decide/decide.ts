/**
 * How a person decides about a sealed draft, from what they want to say to a recorded decision:
 *
 *     look     what is sealed; is it what the person named, and its manifest of that release?
 *     place    number, previous decision, newest checkpoint      chain.ts
 *     consent  the person is shown exactly what will be signed
 *     sign     with their key, on their machine; the receipt is kept before anything is sent
 *     finish   commitment, look into the log, opening            finish.ts
 */
import { type Digest, digestOf, formatDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { parseManifest } from '../../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { type Decision, formatDecision } from '../../core/statement/decision.ts';
import type { DecisionContext } from '../../core/statement/decision-context.ts';
import { formatEnvelope, toSign } from '../../core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../core/statement/in-toto.ts';
import type { SigningKey } from '../../core/statement/signature.ts';
import { newReceipt, type Receipt } from '../receipts.ts';
import { nextLink } from './chain.ts';
import { type Means, type ShownDraft, type Signer, signingKey } from './desk.ts';
import { finishReceipt } from './finish.ts';
import { resumeReceipt, unfinished } from './resume.ts';

type Distributive<T> = T extends unknown ? Omit<T, 'digest' | 'context'> : never;
/** What a person wants to say, without about what. The registry alone seals. */
export type Said = Distributive<Exclude<Decision, { decision: 'seal' }>>;

/** What may be signed: the decision, and what it is about in terms that a person knows. */
export interface Draft {
  readonly decision: Decision;
  readonly files: number;
  /** Bytes of all files. */
  readonly size: number;
}

export interface Wish {
  readonly release: ReleaseName;
  readonly said: Said;
  /** The digest that the person named; undefined when they are asked. */
  readonly named: Digest | undefined;
  /** Seconds from now until it expires. */
  readonly lasts: number;
}

/** Decisions of one key that are made on several machines at once meet at most so often. */
const ATTEMPTS = 5;

/**
 * Decides. `consent` shows the person what is to be signed, and throws if they will not. Throws
 * `gate-unmet` when something else is sealed than was named, `untrusted`, `proof-invalid`, and
 * whatever the registry refuses with.
 */
export async function decide(
  means: Means,
  signer: Signer,
  wish: Wish,
  consent: (draft: Draft) => Promise<void>,
): Promise<Receipt> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const draft = await draftDecision(means, signingKey(signer), wish);
    if (attempt === 0) await consent(draft);
    const envelope = await signEnvelope(signer, draft.decision);
    const receipt = newReceipt(means.host, signer.spki, envelope, means.random());
    // Somebody decides with the same key on this machine, in this moment.
    if (!(await means.receipts.add(receipt))) continue;
    const finished = await finishReceipt(means, receipt);
    if (finished.state === 'recorded') return finished;
  }
  throw new CodedError(
    'conflict',
    `not recorded: others decide with this key at the same time, ${ATTEMPTS} times in a row; do the same again`,
  );
}

/** Looks at what is sealed, and writes what would be signed with `key`. */
export async function draftDecision(
  means: Means,
  key: SigningKey,
  { release, said, named, lasts }: Wish,
): Promise<Draft> {
  const { host, desk, clock, random } = means;
  const shown = await finishEarlier(means, release);
  refuseOther(release, shown.digest, named);
  const { files, size } = await checkManifest(means, release, shown);
  const receipts = await means.receipts.all(desk.origin);
  const { n, previous } = await nextLink(host, key, shown, receipts);
  const log = await desk.log();
  const now = clock();
  const context: DecisionContext = {
    origin: desk.origin,
    release: formatReleaseName(release),
    revision: shown.revision,
    n,
    previous,
    checkpoint: { size: log.size, root: formatDigest(log.root) },
    time: new Date(now).toISOString(),
    expires: new Date(now + lasts * 1000).toISOString(),
    nonce: random(),
  };
  return { decision: { ...said, digest: shown.digest, context }, files, size };
}

/** Canonical bytes of the decision's envelope. */
export async function signEnvelope(signer: Signer, decision: Decision): Promise<Uint8Array> {
  const payload = formatDecision(decision);
  const signature = await signer.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
  return formatEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, signature);
}

/** What is sealed, once all that was begun about it is finished: the next decision stands after. */
async function finishEarlier(means: Means, release: ReleaseName): Promise<ShownDraft> {
  const name = formatReleaseName(release);
  const shown = await means.desk.draft(release);
  const begun = (await unfinished(means)).filter(
    (receipt) => receipt.release === name && receipt.digest === shown.digest,
  );
  for (const receipt of begun) await resumeReceipt(means, receipt);
  return begun.length === 0 ? shown : means.desk.draft(release);
}

function refuseOther(release: ReleaseName, sealed: Digest, named: Digest | undefined): void {
  if (named === undefined || named === sealed) return;
  throw new CodedError(
    'gate-unmet',
    `${formatReleaseName(release)} is sealed as ${sealed}, not as ${named}: nothing was signed; look at what changed before you name the other`,
    { named, sealed },
  );
}

/** A digest says nothing by itself: what has it must be the manifest of that very draft. */
async function checkManifest(
  { host, desk }: Means,
  release: ReleaseName,
  { digest, revision }: ShownDraft,
): Promise<{ readonly files: number; readonly size: number }> {
  const name = formatReleaseName(release);
  const bytes = await desk.manifest(release);
  if (digestOf(host, bytes) !== digest) {
    throw new CodedError(
      'untrusted',
      `the registry shows a manifest of ${name} that does not have the digest ${digest}; nothing was signed`,
    );
  }
  const manifest = parseManifest(bytes);
  const isOfIt =
    manifest.origin === desk.origin &&
    manifest.release === name &&
    manifest.draft.revision === revision;
  if (isOfIt) return { files: manifest.files.length, size: manifest.size };
  throw new CodedError(
    'untrusted',
    `${digest} is not revision ${revision} of ${name} at ${desk.origin}; nothing was signed`,
  );
}
