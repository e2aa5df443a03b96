/** Reads the documents that entries name, and has them checked, several entries at a time. */

import {
  checkAdvisory,
  checkFirstPolicy,
  checkNextPolicy,
  checkRelease,
  checkRootDocument,
  openInventory,
  openPolicy,
} from '../../core/audit/documents.ts';
import type { Findings } from '../../core/audit/findings.ts';
import type { Due, NamedPolicy } from '../../core/audit/fold.ts';
import { BoundedMap } from '../../core/bounded-map.ts';
import { formatHex, parseBase64 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { Policy } from '../../core/release/policy.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import type { Verdict } from '../../core/verdict.ts';
import type { VerifiedRelease } from '../../core/verify/release.ts';
import type { Inventory } from '../../core/weights/inventory.ts';
import { accept } from '../accept.ts';
import type { Api } from '../api.ts';
import { headsIn } from '../release.ts';
import type { SignedHead } from '../view.ts';
import { Lanes } from './lanes.ts';
import { readNamed, readShownDocuments } from './shown.ts';

/** Entries whose documents are read at a time. */
const ENTRIES_AT_ONCE = 16;
/** Namespaces whose policies are kept; those of the others are read again. */
const KEPT_POLICIES = 256;

/** A release whose documents are good, with its tensors where it has any. */
export interface AuditedRelease {
  readonly verified: VerifiedRelease;
  readonly inventory: Inventory | undefined;
}
/** Looks further; what it throws is a violation of the release. */
export type VisitRelease = (release: AuditedRelease) => Promise<void>;

type DueOf<K extends Due['kind']> = Extract<Due, { kind: K }>;

export interface DocumentParts {
  readonly host: Host;
  readonly api: Api;
  readonly root: TrustRoot;
  /** Every version that was believed on the way to it, exact bytes, from version 1 on. */
  readonly roots: readonly Uint8Array[];
  readonly findings: Findings;
  /** Looks at a release's content; only where that was asked for. */
  readonly visitRelease?: VisitRelease | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class DocumentAudit {
  readonly #parts: DocumentParts;
  readonly #lanes = new Lanes(ENTRIES_AT_ONCE);
  /** The policy last asked for of each namespace: the one in force, nearly always. */
  readonly #policies = new BoundedMap<
    string,
    { readonly index: number; readonly policy: Promise<Policy> }
  >(KEPT_POLICIES);
  readonly #heads = new Map<string, SignedHead>();

  constructor(parts: DocumentParts) {
    this.#parts = parts;
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
      case 'root':
        return this.#root(due);
    }
  }

  async #firstPolicy({ index, entry }: DueOf<'namespace'>): Promise<Verdict<object>> {
    const { host, root } = this.#parts;
    const documents = await this.#policyDocuments(entry.namespace, index);
    return checkFirstPolicy(host, { root, index }, entry, documents);
  }

  async #nextPolicy({ index, entry, before }: DueOf<'policy'>): Promise<Verdict<object>> {
    const { host, root } = this.#parts;
    const documents = await this.#policyDocuments(entry.namespace, index);
    return checkNextPolicy(host, { root, index }, entry, documents, await this.#policy(before));
  }

  async #release({ index, entry, policy: named }: DueOf<'release'>): Promise<Verdict<object>> {
    const { host, api, root, visitRelease, signal } = this.#parts;
    const release = parseReleaseName(entry.release);
    const [documents, policy] = await Promise.all([
      readShownDocuments(api, release, signal),
      this.#policy(named),
    ]);
    const checked = await checkRelease(host, { root, index }, entry, documents, policy);
    if (!checked.ok) return checked;
    for (const head of headsIn(documents))
      this.#heads.set(`${head.size} ${formatHex(head.root)}`, head);
    const { verified } = checked;
    const inventory = await this.#inventory(release, verified);
    await visitRelease?.({ verified, inventory });
    return { ok: true };
  }

  async #advisory({ index, entry, policy: named }: DueOf<'advisory'>): Promise<Verdict<object>> {
    const { host, api, root, signal } = this.#parts;
    const [{ envelope }, policy] = await Promise.all([
      readNamed(`the advisory at ${index}`, () => api.advisory(index, { signal })),
      this.#policy(named),
    ]);
    return checkAdvisory(host, root, entry, parseBase64(envelope), policy);
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

  async #policyDocuments(namespace: string, index: number) {
    const { api, signal } = this.#parts;
    const what = `the policy of ${namespace} at ${index}`;
    const answer = await readNamed(what, () => api.policy(namespace, index, { signal }));
    if (answer.index !== index) {
      const message = `the registry shows the policy at ${answer.index} for the one at ${index}`;
      throw new CodedError('untrusted', message);
    }
    return { policy: parseBase64(answer.policy), signed: answer.signed.map(parseBase64) };
  }

  #policy(named: NamedPolicy): Promise<Policy> {
    const known = this.#policies.get(named.namespace);
    if (known?.index === named.index) return known.policy;
    const policy = this.#readPolicy(named);
    this.#policies.set(named.namespace, { index: named.index, policy });
    return policy;
  }

  async #readPolicy(named: NamedPolicy): Promise<Policy> {
    const { host, root } = this.#parts;
    const { policy } = await this.#policyDocuments(named.namespace, named.index);
    return accept(openPolicy(host, root, named, policy)).policy;
  }
}
