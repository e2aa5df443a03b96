/** Reads the documents that entries name, and has them checked, several entries at a time. */

import {
  checkAdvisory,
  checkAnnouncement,
  checkCode,
  checkRelease,
  checkRootDocument,
  checkVoid,
} from '../../core/audit/documents.ts';
import type { Findings } from '../../core/audit/findings.ts';
import type { Due, NamedPolicy } from '../../core/audit/fold.ts';
import { checkGate, type MetGate } from '../../core/audit/gate.ts';
import type { CommitmentSource } from '../../core/audit/openings.ts';
import type { JudgedPlace } from '../../core/audit/place.ts';
import { checkFirstPolicy, checkNextPolicy } from '../../core/audit/policies.ts';
import { formatHex, parseBase64 } from '../../core/bytes.ts';
import type { Digest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import type { Verdict } from '../../core/verdict.ts';
import { openInventory } from '../../core/verify/inventory.ts';
import type { VerifiedRelease } from '../../core/verify/release.ts';
import type { Inventory } from '../../core/weights/inventory.ts';
import { accept } from '../accept.ts';
import type { PublicApi } from '../public-api.ts';
import { headsIn } from '../release.ts';
import type { SignedHead } from '../view.ts';
import { Lanes } from './lanes.ts';
import { PolicyShelf } from './policies.ts';
import { readGateDocuments, readNamed, readShownDocuments } from './shown.ts';
import { readAnnouncement, readVoid } from './signed.ts';

/** Entries whose documents are read at a time. */
const ENTRIES_AT_ONCE = 16;

/** A release whose documents are good, with its tensors where it has any. */
export interface AuditedRelease {
  readonly verified: VerifiedRelease;
  readonly inventory: Inventory | undefined;
}
/** Looks further; what it throws is a violation of the release. */
export type VisitRelease = (release: AuditedRelease) => Promise<void>;

/** How a release stands with its gate; of one that was found wrong, a violation says more. */
export interface JudgedRelease {
  readonly index: number;
  readonly release: string;
  readonly digest: Digest;
  readonly ok: boolean;
  /** What the gate was met by, where it was. */
  readonly gate?: Omit<MetGate, 'policy' | 'labels' | 'said'> & { readonly policy: number };
}

type DueOf<K extends Due['kind']> = Extract<Due, { kind: K }>;

export interface DocumentParts {
  readonly host: Host;
  readonly api: PublicApi;
  readonly root: TrustRoot;
  /** Every version that was believed on the way to it, exact bytes, from version 1 on. */
  readonly roots: readonly Uint8Array[];
  readonly findings: Findings;
  /** What the log holds of commitments. */
  readonly source: CommitmentSource;
  /** Is told that a release has accounted for a commitment. */
  readonly onAccounted: (label: string) => void;
  readonly onRelease?: ((release: JudgedRelease) => void) | undefined;
  /** Looks at a release's content; only where that was asked for. */
  readonly visitRelease?: VisitRelease | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class DocumentAudit {
  readonly #parts: DocumentParts;
  readonly #lanes = new Lanes(ENTRIES_AT_ONCE);
  readonly #policies: PolicyShelf;
  readonly #heads = new Map<string, SignedHead>();

  constructor(parts: DocumentParts) {
    this.#parts = parts;
    this.#policies = new PolicyShelf(parts);
  }

  /** Every checkpoint that the registry showed in its documents, each once. */
  get heads(): readonly SignedHead[] {
    return [...this.#heads.values()];
  }

  /** Begins to look at what is due; waits while too much is under way. */
  begin(due: Due): Promise<void> {
    return this.#lanes.add(() => this.#look(due));
  }

  end(): Promise<void> {
    return this.#lanes.end();
  }

  async #look(due: Due): Promise<void> {
    const { findings } = this.#parts;
    try {
      const verdict = await this.#check(due);
      if (!verdict.ok) findings.fault(due.index, verdict);
    } catch (error) {
      findings.fault(due.index, error);
    }
  }

  #check(due: Due): Promise<Verdict<object>> {
    switch (due.kind) {
      case 'namespace':
        return this.#firstPolicy(due);
      case 'policy':
        return this.#nextPolicy(due);
      case 'release':
        return this.#release(due);
      case 'advisory':
        return this.#advisory(due);
      case 'void':
        return this.#void(due);
      case 'announcement':
        return this.#announcement(due);
      case 'root':
        return this.#root(due);
    }
  }

  async #firstPolicy({ index, entry }: DueOf<'namespace'>): Promise<Verdict<object>> {
    const { host, root } = this.#parts;
    const documents = await this.#policies.read(entry.namespace, index);
    return checkFirstPolicy(host, { root, index }, entry, documents);
  }

  async #nextPolicy({ index, entry, policies }: DueOf<'policy'>): Promise<Verdict<object>> {
    const { host } = this.#parts;
    const [documents, place, newest] = await Promise.all([
      this.#policies.read(entry.namespace, index),
      this.#placeOf(entry.namespace, index, policies),
      this.#policies.policy(entry.namespace, policies.at(-1)!),
    ]);
    return checkNextPolicy(host, place, entry, documents, newest.policy);
  }

  async #release(due: DueOf<'release'>): Promise<Verdict<object>> {
    const { index, entry } = due;
    const { release, digest } = entry;
    let gate: MetGate | undefined;
    try {
      const judged = await this.#judge(due);
      if (judged.ok) gate = judged.gate;
      return judged;
    } finally {
      const { onRelease } = this.#parts;
      onRelease?.({ index, release, digest, ok: gate !== undefined, ...shown(gate) });
    }
  }

  async #judge(due: DueOf<'release'>): Promise<Verdict<{ readonly gate: MetGate }>> {
    const { index, entry, policies, twins } = due;
    const { host, api, root, source, onAccounted, visitRelease, signal } = this.#parts;
    const release = parseReleaseName(entry.release);
    const [documents, ofGate, place] = await Promise.all([
      readShownDocuments(api, release, signal),
      readGateDocuments(api, entry, signal),
      this.#placeOf(release.namespace, index, policies),
    ]);
    const checked = await checkRelease(host, { root, index }, entry, documents);
    if (!checked.ok) return checked;
    for (const head of headsIn(documents))
      this.#heads.set(`${head.size} ${formatHex(head.root)}`, head);
    const { verified } = checked;
    const { manifest } = verified;
    const atGate = { entry, manifest, policies, twins };
    const met = await checkGate(host, place, source, atGate, ofGate);
    if (!met.ok) return met;
    const allowed = checkCode(manifest, met.gate.policy.policy);
    if (!allowed.ok) return allowed;
    met.gate.labels.forEach(onAccounted);
    const inventory = await this.#inventory(release, verified);
    await visitRelease?.({ verified, inventory });
    return met;
  }

  async #advisory({ index, entry, policies }: DueOf<'advisory'>): Promise<Verdict<object>> {
    const { host, api, signal } = this.#parts;
    const { namespace } = parseReleaseName(entry.release);
    const [{ envelope }, place] = await Promise.all([
      readNamed(`the advisory at ${index}`, () => api.advisory(index, { signal })),
      this.#placeOf(namespace, index, policies),
    ]);
    return checkAdvisory(host, place, entry, parseBase64(envelope));
  }

  async #announcement({ index, entry, policies }: DueOf<'announcement'>): Promise<Verdict<object>> {
    const { host, api, signal } = this.#parts;
    const { namespace } = parseReleaseName(entry.release);
    const [envelope, place] = await Promise.all([
      readNamed(`the announcement at ${index}`, () => readAnnouncement(api, index, signal)),
      this.#placeOf(namespace, index, policies),
    ]);
    return checkAnnouncement(host, place, entry, envelope);
  }

  async #void({ index, entry, policies }: DueOf<'void'>): Promise<Verdict<object>> {
    const { host, api, signal } = this.#parts;
    const [signed, place] = await Promise.all([
      readNamed(`the void at ${index}`, () => readVoid(api, index, signal)),
      this.#placeOf(entry.namespace, index, policies),
    ]);
    return checkVoid(host, place, entry, signed);
  }

  async #root({ entry }: DueOf<'root'>): Promise<Verdict<object>> {
    const { host, api, root, roots, signal } = this.#parts;
    const what = `version ${entry.version} of root.json`;
    const bytes = await readNamed(what, async () => {
      // Those that were believed must be those that are logged, whatever is served now.
      const served = roots[entry.version - 1] ?? (await api.root(entry.version, { signal }));
      if (served !== undefined) return served;
      throw new CodedError('not-found', 'it is not served');
    });
    return checkRootDocument(host, root, entry, bytes);
  }

  async #inventory(
    release: ReleaseName,
    { manifest }: VerifiedRelease,
  ): Promise<Inventory | undefined> {
    if (manifest.tensors === undefined) return undefined;
    const { host, api, signal } = this.#parts;
    const what = `tensors.json of ${formatReleaseName(release)}`;
    const bytes = await readNamed(what, () => api.document(release, 'tensors.json', { signal }));
    return accept(openInventory(host, manifest, bytes)).inventory;
  }

  async #placeOf(
    namespace: string,
    index: number,
    policies: readonly NamedPolicy[],
  ): Promise<JudgedPlace> {
    const history = await this.#policies.history(namespace, policies);
    return { root: this.#parts.root, index, history };
  }
}

function shown(gate: MetGate | undefined): Pick<JudgedRelease, 'gate'> {
  if (gate === undefined) return {};
  const { policy, gated, people, decisions } = gate;
  return { gate: { policy: policy.index, gated, people, decisions } };
}
