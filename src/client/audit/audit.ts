/**
 * `audit`: the whole log, replayed by somebody who takes the registry's word for nothing but
 * its trust root.
 *
 *     checkpoint   signed, cosigned, not smaller than what was seen, and of the same log
 *     growth       every entry hashed into that root; every hash tile that proofs are made of
 *     rules        what may follow upon what, heads entries recomputed (`core/audit/fold.ts`)
 *     documents    every policy, release, advisory and root that the log names, and who signed
 *     gate         every decision about a release, found by its label and opened, and the gate
 *                  of the release's time asked again (`core/audit/gate.ts`)
 *
 * What is wrong with the registry is reported as a violation and the audit goes on as far as
 * it can; that the registry cannot be reached, or is not pinned, is thrown.
 */

import { Findings } from '../../core/audit/findings.ts';
import { EMPTY_FOLD, LogFold } from '../../core/audit/fold.ts';
import { PastRoots } from '../../core/audit/past-roots.ts';
import { type AuditState, formatAuditState, parseAuditState } from '../../core/audit/state.ts';
import { formatBase64 } from '../../core/bytes.ts';
import { formatDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { hashInTile, parseEntryBundle, TILE_WIDTH } from '../../core/log/tile.ts';
import type { ReadTile } from '../../core/log/tile-reader.ts';
import { emptyEdge, loadEdge, type TreeEdge } from '../../core/log/tree.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { verifyCheckpoint } from '../../core/verify/checkpoint.ts';
import { accept } from '../accept.ts';
import type { Seen } from '../pins.ts';
import type { Reader } from '../release.ts';
import { newestRoot, pinOf } from '../trust.ts';
import { headOf, type LogView, openView, type SignedHead } from '../view.ts';
import { DocumentAudit, type JudgedRelease, type VisitRelease } from './documents.ts';
import {
  type BundleHasher,
  followGrowth,
  hashingHere,
  type ReadBundle,
  tilesOfSmaller,
} from './growth.ts';
import type { AuditReport } from './report.ts';

export type { AuditReport } from './report.ts';

/** How far an audit is. */
export interface AuditProgress {
  /** Entries that were read, of so many in the log. */
  readonly entries: number;
  readonly size: number;
  readonly violations: number;
}

export interface AuditOptions {
  /**
   * What the audit before left (`AuditReport.state`): the log must have grown from there, and
   * this audit begins where it ended, unless it visits releases.
   */
  readonly state?: Uint8Array | undefined;
  /** Hashes on other threads; here, where there is none. */
  readonly hasher?: BundleHasher | undefined;
  /** Reads the log's tiles; with `fetch`, where there is nothing better. */
  readonly readTile?: ReadTile | undefined;
  /**
   * Looks at the content of a release; throws what is wrong with it. Content can rot at any
   * time, so it is every release of the log: the audit begins at its first entry.
   */
  readonly visitRelease?: VisitRelease | undefined;
  /** Is told of every release that was looked at, not in the order of the log. */
  readonly onRelease?: ((release: JudgedRelease) => void) | undefined;
  readonly onProgress?: ((progress: AuditProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Audits the pinned registry that `reader` reaches. */
export async function audit(reader: Reader, options: AuditOptions = {}): Promise<AuditReport> {
  const { host, api, pins, clock } = reader;
  const { signal } = options;
  const pin = await pinOf(api, pins, signal);
  const readRoot = (version: number) => api.root(version, { signal });
  const { root, roots } = await newestRoot(host, pins, pin, readRoot, clock());
  const before = openState(options.state, root);
  const note = await api.checkpoint({ signal });
  accept(verifyCheckpoint(host, root, note));

  const seen = await pins.seen(pin.origin);
  const run = new AuditRun(reader, { root, roots }, headOf(note), before, options);
  const report = await run.report(seen);
  if (report.ok) await pins.saveSeen(pin.origin, { ...seen, checkpoint: note, ...run.heads });
  return report;
}

/** The state that was passed in, which must be of this log. */
function openState(bytes: Uint8Array | undefined, root: TrustRoot): AuditState | undefined {
  if (bytes === undefined) return undefined;
  const state = parseAuditState(bytes);
  if (state.origin === root.origin) return state;
  throw new CodedError('usage', `the audit’s state is of ${state.origin}, not of ${root.origin}`);
}

class AuditRun {
  readonly #reader: Reader;
  readonly #root: TrustRoot;
  readonly #head: SignedHead;
  /** What the log must have grown from. */
  readonly #before: AuditState | undefined;
  /** Where this audit begins; undefined at the first entry. */
  readonly #start: AuditState | undefined;
  readonly #options: AuditOptions;
  readonly #read: ReadTile;
  readonly #findings = new Findings();
  readonly #fold: LogFold;
  readonly #documents: DocumentAudit;
  #view: LogView | undefined;
  #past: PastRoots | undefined;

  constructor(
    reader: Reader,
    { root, roots }: { readonly root: TrustRoot; readonly roots: readonly Uint8Array[] },
    head: SignedHead,
    before: AuditState | undefined,
    options: AuditOptions,
  ) {
    const { host, api } = reader;
    const { signal, visitRelease, onRelease } = options;
    this.#reader = reader;
    this.#root = root;
    this.#head = head;
    this.#before = before;
    this.#start = visitRelease === undefined ? before : undefined;
    this.#options = options;
    this.#read = options.readTile ?? ((path) => api.tile(path, { signal }));
    const findings = this.#findings;
    this.#fold = new LogFold(host, findings, this.#start?.fold ?? EMPTY_FOLD, head.root);
    const { commitments } = this.#fold;
    this.#documents = new DocumentAudit({
      ...{ host, api, root, roots, findings, visitRelease, onRelease, signal },
      source: {
        commitments,
        entryAt: (index) => this.#view!.tree.entry(index),
        rootAt: async (size) => this.#past?.at(size) ?? this.#view!.tree.rootAt(size),
      },
      onAccounted: (label) => commitments.close(label),
    });
  }

  /** The newest heads entry, as pins keep it. */
  get heads(): Pick<Seen, 'heads'> {
    const { heads } = this.#fold;
    return heads === undefined ? {} : { heads };
  }

  async report(seen: Seen | undefined): Promise<AuditReport> {
    const view = await this.#openView(seen);
    this.#view = view;
    const edge = view && (await this.#openEdge());
    if (view !== undefined && edge !== undefined) await this.#replay(view, edge);
    return this.#conclude();
  }

  async #replay(view: LogView, edge: TreeEdge): Promise<void> {
    const { host } = this.#reader;
    this.#past = new PastRoots(host, edge);
    const parts = {
      host,
      read: this.#read,
      hasher: this.#options.hasher ?? hashingHere(host),
      findings: this.#findings,
    };
    const complete = await followGrowth(parts, edge, this.#head, (bundle) =>
      this.#visit(edge.size, bundle),
    );
    await this.#documents.end();
    if (!complete) return;
    this.#fold.end();
    this.#checkRootsLogged();
    this.#checkAge();
    await this.#checkFinalRoots(view);
    await this.#checkShownHeads();
  }

  /** The log must be the one that was seen before, in the last audit or by any other command. */
  async #openView(seen: Seen | undefined): Promise<LogView | undefined> {
    const { host } = this.#reader;
    try {
      if (this.#before !== undefined) await openView(host, [this.#head], this.#before, this.#read);
      return await openView(host, [this.#head], seen, this.#read);
    } catch (error) {
      this.#findings.fault(this.#head.size, error);
      return undefined;
    }
  }

  /** Where this audit begins; what the log serves of the one before must be what it had. */
  async #openEdge(): Promise<TreeEdge | undefined> {
    const { host } = this.#reader;
    if (this.#start === undefined) return emptyEdge(host);
    const head = headOf(this.#start.checkpoint);
    try {
      return await loadEdge(host, head, tilesOfSmaller(this.#read, this.#head.size));
    } catch (error) {
      this.#findings.fault(head.size, error);
      return undefined;
    }
  }

  async #visit(from: number, { index, bytes, width, hashed }: ReadBundle): Promise<void> {
    const first = index * TILE_WIDTH;
    this.#past?.append(index, hashed);
    for (const [slot, entry] of parseEntryBundle(bytes, width).entries()) {
      if (first + slot < from) continue;
      const due = this.#fold.add(first + slot, entry, hashInTile(hashed.leaves, slot));
      if (due !== undefined) await this.#documents.begin(due);
    }
    this.#options.onProgress?.({
      entries: first + width,
      size: this.#head.size,
      violations: this.#findings.count,
    });
  }

  /** A root that is shown and not logged may be shown to one reader alone. */
  #checkRootsLogged(): void {
    const { root: logged = 1 } = this.#fold;
    if (logged >= this.#root.version) return;
    this.#findings.violate(
      this.#head.size,
      'untrusted',
      `version ${this.#root.version} of root.json is shown, but the log has none after version ${logged}`,
    );
  }

  /** A log that has been silent for longer than its trust root allows may be a frozen copy. */
  #checkAge(): void {
    const { heads } = this.#fold;
    if (heads === undefined) return;
    const age = this.#reader.clock() - Date.parse(heads.time);
    if (age <= this.#root.maxAge * 1000) return;
    this.#findings.violate(
      heads.index,
      'stale',
      `the newest heads entry is of ${heads.time}, older than the ${this.#root.maxAge} s that the trust root allows`,
    );
  }

  /** Where a key of the log ended, the log held what root.json says it held. */
  async #checkFinalRoots({ tree }: LogView): Promise<void> {
    for (const { end } of this.#root.log) {
      if (end === undefined || end.size > this.#head.size) continue;
      const found = formatDigest(await tree.rootAt(end.size));
      if (found === end.root) continue;
      this.#findings.violate(
        end.size,
        'fork',
        `at size ${end.size}, where a key of the log ended, the log is not the one of root.json`,
        { expected: end.root, found },
      );
    }
  }

  /** Every checkpoint in a document must be of this log too. */
  async #checkShownHeads(): Promise<void> {
    const shown = [this.#head, ...this.#documents.heads];
    try {
      await openView(this.#reader.host, shown, undefined, this.#read);
    } catch (error) {
      this.#findings.fault(this.#head.size, error);
    }
  }

  #conclude(): AuditReport {
    const { ok, violations, notes, count } = this.#findings;
    const { size, root, note } = this.#head;
    const { origin } = this.#root;
    const fold = this.#fold;
    return {
      ok,
      origin,
      size,
      root: formatBase64(root),
      from: this.#start === undefined ? 0 : headOf(this.#start.checkpoint).size,
      releases: fold.releases,
      violations,
      violationCount: count,
      notes,
      ...(ok ? { state: formatAuditState({ origin, checkpoint: note, fold: fold.state }) } : {}),
    };
  }
}
