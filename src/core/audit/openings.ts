/**
 * The commitments about one release, and what opens them. Labels are derived, not looked up
 * in what the registry shows: for D and every former digest, every key of every policy that was
 * logged before, and the registry's own, n = 0, 1, 2 … until the log has none. What is found so
 * must stand open in `decisions.json` or be void; so nothing that anybody committed can be left
 * out of it.
 *
 * Decisions on one digest by one key are a chain: each names the envelope before it. And each
 * has seen a checkpoint of this log (`release/seen-checkpoint.ts`).
 */
import { parseBase64 } from '../bytes.ts';
import type { Digest } from '../digest.ts';
import type { Host } from '../host.ts';
import { parseEntry } from '../log/entry.ts';
import { decisionLabel } from '../release/commitment.ts';
import type { RevealedDecision } from '../release/decisions.ts';
import type { UnopenedCommitment } from '../release/gate-stops.ts';
import {
  keysIn,
  type LoggedCommitment,
  type OpenedDecision,
  type OpenedStatement,
  openDecision,
} from '../release/opened-decision.ts';
import { checkSeen, type RootAt } from '../release/seen-checkpoint.ts';
import { MAX_DECISIONS_PER_SIGNER } from '../statement/decision-context.ts';
import type { Spki } from '../statement/public-key.ts';
import { releaseKeysAt } from '../trust/periods.ts';
import { type Refusal, refusal, type Verdict } from '../verdict.ts';
import type { Commitments } from './commitments.ts';
import type { JudgedPlace } from './place.ts';

/** What the log holds. */
export interface CommitmentSource {
  readonly commitments: Pick<Commitments, 'find' | 'isVoid'>;
  /** Any entry, shown to be in the log. */
  readonly entryAt: (index: number) => Promise<Uint8Array>;
  /** The root that the log had. */
  readonly rootAt: RootAt;
}

/** Whose n-th word on which digest a commitment is. */
interface Derived {
  readonly logged: LoggedCommitment;
  /** Names the chain: the digest and the key. */
  readonly chain: string;
  readonly n: number;
}

/** All that was committed about a release, as far as it counts. */
export interface Openings {
  /** In the order of the log; those that were voided are left out. */
  readonly decisions: readonly OpenedDecision[];
  /** Neither opened nor voided. */
  readonly unopened: readonly UnopenedCommitment[];
  /** Every label that was found, in hex. */
  readonly labels: readonly string[];
  /** The newest decision of that key on the release's digest, by `n`. */
  decisionBefore(spki: string, n: number): OpenedDecision | undefined;
}

/** Finds and opens what was committed about these digests before the place. */
export async function openCommitments(
  host: Host,
  place: JudgedPlace,
  source: CommitmentSource,
  about: { readonly namespace: string; readonly digests: readonly Digest[] },
  revealed: readonly RevealedDecision[],
): Promise<Verdict<Openings>> {
  const derived = deriveLabels(host, place, source, about.digests);
  const isVoid = (label: string) => source.commitments.isVoid(about.namespace, label, place.index);
  const counting = revealed.filter(({ label }) => !isVoid(label));
  const opened = await Promise.all(counting.map((each) => openRevealed(host, place, source, each)));
  const decisions: OpenedDecision[] = [];
  const chains = new Map<string, OpenedDecision>();
  for (const [i, each] of opened.entries()) {
    if (!each.ok) return each;
    const { decision } = each;
    const unseen = await checkSeen(decision, decision.index, source.rootAt);
    if (unseen !== undefined) return unseen;
    decisions.push(decision);
    const found = derived.get(counting[i]!.label);
    if (found !== undefined) chains.set(`${found.chain} ${found.n}`, decision);
    else if (about.digests.includes(decision.statement.digest)) return refuseGap(decision);
  }
  for (const [at, decision] of chains) {
    const chain = at.slice(0, at.lastIndexOf(' '));
    const { n } = decision.statement.context;
    const fault = checkChain(decision, decision.index, chains.get(`${chain} ${n - 1}`));
    if (fault !== undefined) return fault;
  }
  const there = new Set(counting.map(({ label }) => label));
  const unopened = [...derived.values()]
    .map(({ logged }) => logged)
    .filter(({ label }) => !there.has(label) && !isVoid(label))
    .map(({ index, label }) => ({ index, label }));
  const [digest] = about.digests;
  return {
    ok: true,
    decisions,
    unopened,
    labels: [...derived.keys()],
    decisionBefore: (spki, n) => chains.get(`${digest} ${spki} ${n - 1}`),
  };
}

/**
 * What is wrong with a statement's place in its signer's chain: it must name the one before,
 * where that one is known.
 */
export function checkChain(
  { statement: { context } }: OpenedStatement,
  index: number,
  before: OpenedDecision | undefined,
): Refusal | undefined {
  if (before === undefined || context.previous === before.digest) return undefined;
  return refusal(
    'untrusted',
    `what was committed at ${index} does not follow upon its signer’s decision at ${before.index}`,
    { expected: before.digest, found: context.previous },
  );
}

/** Its label is not among those that are found by counting: one before it was never logged. */
function refuseGap({ index, statement: { context } }: OpenedDecision): Refusal {
  return refusal(
    'untrusted',
    `the decision at ${index} is its signer’s number ${context.n}, but the log lacks one before it`,
    { index, n: context.n },
  );
}

/** Every commitment that is about one of the digests, by label. */
function deriveLabels(
  host: Host,
  { root, history, index }: JudgedPlace,
  { commitments }: CommitmentSource,
  digests: readonly Digest[],
): ReadonlyMap<string, Derived> {
  const keys = [
    ...[...keysIn(history)].map((text) => ({ text, spki: parseBase64(text) as Spki })),
    ...root.release.map(({ spki }, i) => ({ text: `registry/${i}`, spki })),
  ];
  const derived = new Map<string, Derived>();
  for (const digest of digests) {
    for (const { text, spki } of keys) {
      for (let n = 0; n < MAX_DECISIONS_PER_SIGNER; n++) {
        const logged = commitments.find(decisionLabel(host, digest, spki, n), index);
        if (logged === undefined) break;
        derived.set(logged.label, { logged, chain: `${digest} ${text}`, n });
      }
    }
  }
  return derived;
}

/** Opens what decisions.json reveals with the commitment that is in the log, at the very index. */
async function openRevealed(
  host: Host,
  place: JudgedPlace,
  source: CommitmentSource,
  revealed: RevealedDecision,
): Promise<Verdict<{ readonly decision: OpenedDecision }>> {
  const { index, label } = revealed;
  const logged =
    source.commitments.find(label, place.index) ?? (await readCommitment(place, source, revealed));
  if (logged?.index !== index) {
    return refusal(
      'untrusted',
      `decisions.json opens a commitment at ${index} that the log did not have there before the release`,
      { index, label },
    );
  }
  const signers = { history: place.history, registry: releaseKeysAt(place.root, index) };
  return openDecision(host, signers, logged, revealed);
}

/** One that an earlier audit has left out of its state. */
async function readCommitment(
  place: JudgedPlace,
  { entryAt }: CommitmentSource,
  { index, label }: RevealedDecision,
): Promise<LoggedCommitment | undefined> {
  if (index >= place.index) return undefined;
  const parsed = parseEntry(await entryAt(index));
  if (!parsed.known || parsed.entry.kind !== 'commitment') return undefined;
  const { entry } = parsed;
  return entry.label === label
    ? { label, commit: entry.commit, index, time: entry.time }
    : undefined;
}
