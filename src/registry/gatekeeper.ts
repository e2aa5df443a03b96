/**
 * Brings a draft before the gate: the policy in force, and all that was decided about the draft
 * and its twins. Publishing asks twice, once in the store before anything is signed, and once in
 * the guard of its commit, against the very tree that the release will extend; `status` asks
 * to show what is missing. The same code answers all three.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import {
  type GateRequest,
  type GateVerdict,
  NOTHING_DECIDED,
  passedOverBy,
  passGate,
} from '../core/release/gate.ts';
import { parseManifest } from '../core/release/manifest.ts';
import type { Missing } from '../core/release/missing.ts';
import { parseReleaseName } from '../core/release/name.ts';
import type { OpenedStatement } from '../core/release/opened-decision.ts';
import type { NotCounted } from '../core/release/passed-over.ts';
import type { LoggedPolicy, Place } from '../core/release/policy-history.ts';
import { revokedKeys } from '../core/release/policy-history.ts';
import { modelRoot } from '../core/statement/oms.ts';
import { keys } from '../store/keys.ts';
import { Dockets, type ReadDocket } from './docket.ts';
import { twinsForm } from './documents/decision.ts';
import { type Draft, type DraftIn, sealedDigest } from './documents/draft.ts';
import type { RegistryParts } from './parts.ts';
import {
  type Documents,
  inForceAt,
  type PolicyBook,
  placeAfter,
  type Standing,
} from './policy-book.ts';
import { Statements } from './statements.ts';

/** Manifests whose ROOT is kept. */
const KEPT_ROOTS = 10_000;
const NO_DOCKET: ReadDocket = { disclosed: [], unopened: [], voids: [] };

/** Who asks to publish, and what they name. */
export type Asked = Pick<GateRequest, 'named' | 'roles'> & { readonly intent?: OpenedStatement };

/** What the gate said, and on which grounds. */
export interface Judged {
  readonly verdict: GateVerdict;
  readonly standing: Standing;
  /** The policy in force. */
  readonly policy: LoggedPolicy;
  /** What is about the draft and its former revisions: what a publish reveals. */
  readonly docket: ReadDocket;
  /** What was passed over, for who wants to know. */
  passedOver(): readonly NotCounted[];
}

export class Gatekeeper {
  readonly #parts: RegistryParts;
  readonly #book: PolicyBook;
  readonly #dockets: Dockets;
  readonly #statements: Statements;
  readonly #roots = new Map<Digest, Digest>();

  constructor(parts: RegistryParts, book: PolicyBook) {
    this.#parts = parts;
    this.#book = book;
    this.#dockets = new Dockets(parts);
    this.#statements = new Statements(parts);
  }

  /** Asks whether the draft may be published by an entry at `place`. */
  async judge(
    from: Documents,
    draft: DraftIn<'sealed' | 'publishing'>,
    at: Place,
    { intent, ...asked }: Asked,
  ): Promise<Judged> {
    const { namespace } = parseReleaseName(draft.release);
    const standing = await this.#book.read(from, namespace);
    const place = placeAfter(standing, at);
    const policy = inForceAt(standing, place);
    const decided = standing.gated ? await this.#decided(from, standing, draft) : undefined;
    const request: GateRequest = {
      ...NOTHING_DECIDED,
      ...decided?.request,
      revoked: revokedKeys(standing.history, place.index),
      policy: policy.policy,
      policyIndex: policy.index,
      release: draft.release,
      revision: draft.revision,
      sealed: draft.digest,
      time: place.time,
      intent,
      ...asked,
    };
    return {
      verdict: passGate(request),
      standing,
      policy,
      docket: decided?.docket ?? NO_DOCKET,
      passedOver: () => passedOverBy(request),
    };
  }

  /** What was decided about a draft in any state, its former revisions included. */
  async docket(from: Documents, standing: Standing, draft: Draft): Promise<ReadDocket> {
    if (!standing.gated) return NO_DOCKET;
    return this.#dockets.read(from, standing, digestsOf(draft));
  }

  /** ROOT of a sealed digest: what its bytes are, whatever the draft is called. */
  async rootOf(digest: Digest): Promise<Digest> {
    const known = this.#roots.get(digest);
    if (known !== undefined) return known;
    const { files } = parseManifest(await this.#statements.get(digest));
    const root = modelRoot(this.#parts.host, files);
    this.#roots.set(digest, root);
    if (this.#roots.size > KEPT_ROOTS) this.#roots.delete(this.#roots.keys().next().value!);
    return root;
  }

  async #decided(from: Documents, standing: Standing, draft: DraftIn<'sealed' | 'publishing'>) {
    const docket = await this.docket(from, standing, draft);
    const twins = await this.#twinsOf(from, draft);
    const own = new Set(digestsOf(draft));
    // Former revisions are read already; the other twins are other drafts, which stay secret.
    const others = [...twins].filter((digest) => !own.has(digest));
    const theirs = await this.#dockets.read(from, standing, others);
    const all = [...docket.disclosed, ...theirs.disclosed];
    const decisions = all.map(({ opened }) => opened);
    const unopened = [...docket.unopened, ...theirs.unopened];
    return { docket, request: { decisions, unopened, twins } };
  }

  async #twinsOf(
    from: Documents,
    { release, digest }: DraftIn<'sealed' | 'publishing'>,
  ): Promise<ReadonlySet<Digest>> {
    const { namespace } = parseReleaseName(release);
    const bytes = await from.document(keys.twins(namespace, await this.rootOf(digest)));
    const digests = bytes === undefined ? [] : twinsForm.parse(bytes).digests;
    return new Set(digests.filter((each) => each !== digest));
  }
}

/** D, if it is sealed, and all before. */
function digestsOf(draft: Draft): Digest[] {
  const digest = sealedDigest(draft);
  return digest === undefined ? [...draft.former] : [digest, ...draft.former];
}

/** The refusal, with what is missing. */
export function gateUnmet(missing: readonly Missing[]): CodedError {
  const message = missing.map((lack) => lack.message).join('; ');
  return new CodedError('gate-unmet', message, { missing });
}
