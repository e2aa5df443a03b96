/**
 * The newest that a registry says about one namespace, compared with what was seen before:
 * without it an old version could be shown as the newest, and a recall be kept back.
 */
import { parseBase64, utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseTlogProof } from '../core/log/tlog-proof.ts';
import type { Namespace, ReleaseName } from '../core/release/name.ts';
import { formatReleaseName } from '../core/release/name.ts';
import type { TrustRoot } from '../core/trust/succession.ts';
import { verifyCheckpoint } from '../core/verify/checkpoint.ts';
import {
  type LoggedAdvisory,
  type VerifiedFreshness,
  verifyFreshness,
} from '../core/verify/freshness.ts';
import { accept } from './accept.ts';
import type { Seen } from './pins.ts';
import type { PublicApi } from './public-api.ts';
import { headOf, type SignedHead } from './view.ts';

/** What was found, and every checkpoint that it rests on. */
export interface FreshState {
  readonly state: VerifiedFreshness;
  readonly heads: readonly SignedHead[];
}

/** Asks and checks. `now` in milliseconds. Throws `stale`, `rolled-back`, `untrusted`, `proof-invalid` … */
export async function readFreshness(
  host: Host,
  api: PublicApi,
  root: TrustRoot,
  namespace: Namespace,
  { now, seen, signal }: { now: number; seen: Seen | undefined; signal?: AbortSignal | undefined },
): Promise<FreshState> {
  const answer = await api.freshness(namespace, { signal });
  const proof = utf8(answer.proof);
  const advisories = answer.advisories.map((advisory) => ({
    entry: parseBase64(advisory.entry),
    proof: utf8(advisory.proof),
  }));
  const documents = {
    entry: parseBase64(answer.entry),
    proof,
    head: parseBase64(answer.head),
    position: answer.position,
    path: answer.path.map(parseBase64),
    advisories,
  };
  const state = accept(
    verifyFreshness(host, root, namespace, documents, now, seen?.heads?.index ?? 0),
  );
  // The published checkpoint is read last, so that it is not older than what it must begin with.
  const note = await api.checkpoint({ signal });
  accept(verifyCheckpoint(host, root, note));
  const proofs = [proof, ...advisories.map((advisory) => advisory.proof)];
  const heads = proofs.map((bytes) => headOf(parseTlogProof(bytes).checkpoint));
  return { state, heads: [...heads, headOf(note)] };
}

/** The advisories about one release, oldest first. */
export function advisoriesAbout(
  state: VerifiedFreshness,
  release: ReleaseName,
): readonly LoggedAdvisory[] {
  const name = formatReleaseName(release);
  return state.advisories.filter(({ entry }) => entry.release === name);
}

/** Throws `recalled` when one of them is a recall that the person has not accepted. */
export function refuseRecalled(
  advisories: readonly LoggedAdvisory[],
  release: ReleaseName,
  accepted: boolean,
): void {
  const recall = advisories.find(({ entry }) => entry.advisory === 'recalled');
  if (recall === undefined || accepted) return;
  throw new CodedError(
    'recalled',
    `${formatReleaseName(release)} was recalled: ${recall.entry.summary} (log entry ${recall.index}); --accept-recalled pulls it all the same`,
    { index: recall.index, summary: recall.entry.summary, time: recall.entry.time },
  );
}
