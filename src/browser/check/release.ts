/**
 * One release, checked in a reader's browser: the same links in the same order as `pull` follows
 * them, each as a step that shows what it rests on. Nothing that is already on the page counts;
 * everything is asked for again and compared.
 *
 *     root → log key → checkpoint → growth → inclusion → entry → manifest → signature
 *                                                              → gate
 *                                                → freshness
 */

import type { Seen } from '../../client/pins.ts';
import type { PublicApi } from '../../client/public-api.ts';
import type { LogView, SignedHead } from '../../client/view.ts';
import type { DocumentName } from '../../core/release/documents.ts';
import type { Manifest } from '../../core/release/manifest.ts';
import type { ReleaseName } from '../../core/release/name.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { type AskedRelease, checkEntry, checkSignature, openManifest } from './documents.ts';
import type { Found } from './found.ts';
import { askGateAgain } from './gate.ts';
import { findCheckpoint, findInclusion, followGrowth, type LoggedRelease } from './log.ts';
import { checkFresh } from './now.ts';
import type { PublicReader } from './reader.ts';
import { type Finding, type Plan, runSteps, type Step } from './step.ts';
import { type FirstSeen, findLogKey, findRoot } from './trust.ts';

export type StepId =
  | 'root'
  | 'log-key'
  | 'checkpoint'
  | 'growth'
  | 'inclusion'
  | 'entry'
  | 'manifest'
  | 'signature'
  | 'gate'
  | 'freshness';

export interface CheckOptions {
  /** Sees all steps after every change. */
  readonly report?: (steps: readonly Step[]) => void;
  readonly firstSeen?: FirstSeen;
  /** Entries before the release that are all read; fewer only in tests. */
  readonly maxEntries?: number;
  readonly signal?: AbortSignal;
}

export interface CheckedRelease {
  readonly steps: readonly Step[];
  /** What files may be compared with: only where its digest and its signature were good. */
  readonly manifest: Manifest | undefined;
  /** No witness cosigns the log, as far as that is known. */
  readonly unwitnessed: boolean;
}

export async function checkRelease(
  reader: PublicReader,
  asked: AskedRelease,
  options: CheckOptions = {},
): Promise<CheckedRelease> {
  const check = new ReleaseCheck(reader, asked, options);
  const steps = await runSteps(check.plans(), options.report);
  const isGood = (id: StepId) => steps.find((step) => step.id === id)?.state === 'passed';
  return {
    steps,
    manifest: isGood('manifest') && isGood('signature') ? check.manifest : undefined,
    unwitnessed: check.root?.witnessPolicy === undefined,
  };
}

class ReleaseCheck {
  // What the steps have found. Each needs those that found what it uses.
  root: TrustRoot | undefined;
  manifest: Manifest | undefined;
  #seen: Seen | undefined;
  #head: SignedHead | undefined;
  #view: LogView | undefined;
  #logged: LoggedRelease | undefined;
  readonly #reader: PublicReader;
  readonly #asked: AskedRelease;
  readonly #options: CheckOptions;
  readonly #documents: Documents;
  readonly #read: (path: Parameters<PublicApi['tile']>[0]) => Promise<Uint8Array | undefined>;

  constructor(reader: PublicReader, asked: AskedRelease, options: CheckOptions) {
    const { signal } = options;
    this.#reader = reader;
    this.#asked = asked;
    this.#options = options;
    this.#documents = new Documents(reader.api, asked.release, signal);
    this.#read = (path) => reader.api.tile(path, { signal });
  }

  plans(): readonly Plan<StepId>[] {
    const plan = (
      id: StepId,
      title: string,
      needs: readonly StepId[],
      look: () => Promise<Finding>,
    ) => ({ id, title, needs, look });
    return [
      plan('root', 'Trust root', [], () => this.#root()),
      plan('log-key', 'Key of the log', ['root'], () => this.#logKey()),
      plan('checkpoint', 'Checkpoint', ['log-key'], () => this.#checkpoint()),
      plan('growth', 'The log only grew', ['checkpoint'], () => this.#growth()),
      plan('inclusion', 'The log holds the release', ['growth'], () => this.#inclusion()),
      plan('entry', 'The entry fits this page', ['inclusion'], () => this.#entry()),
      plan('manifest', 'Manifest', ['entry'], () => this.#openManifest()),
      plan('signature', 'Model signature', ['manifest'], () => this.#signature()),
      plan('gate', 'Decisions and gate', ['manifest'], () => this.#gate()),
      plan('freshness', 'Newest state and advisories', ['inclusion'], () => this.#freshness()),
    ];
  }

  async #root(): Promise<Finding> {
    const { firstSeen = async () => undefined, signal } = this.#options;
    const { value, finding } = await findRoot(this.#reader, firstSeen, signal);
    this.root = value;
    this.#seen = await this.#reader.pins.seen(value.origin);
    return finding;
  }

  async #logKey(): Promise<Finding> {
    return (await findLogKey(this.#reader, this.root!, this.#options.signal)).finding;
  }

  async #checkpoint(): Promise<Finding> {
    const found = await findCheckpoint(this.#reader, this.root!, this.#options.signal);
    this.#head = found.value;
    return found.finding;
  }

  async #growth(): Promise<Finding> {
    const found = await followGrowth(this.#reader, this.#head!, this.#seen, this.#read);
    return this.#keepView(found);
  }

  async #inclusion(): Promise<Finding> {
    const shown = {
      entry: await this.#documents.read('entry'),
      proof: await this.#documents.read('release.tlog-proof'),
    };
    const { value, finding } = await findInclusion(this.#reader, this.root!, shown, this.#log());
    this.#logged = value;
    return this.#keepView({ value: value.view, finding });
  }

  async #entry(): Promise<Finding> {
    const statement = await this.#documents.read('release.dsse');
    return checkEntry(this.#reader, this.root!, this.#asked, this.#logged!, statement);
  }

  async #openManifest(): Promise<Finding> {
    const bytes = await this.#documents.read('manifest.json');
    const { value, finding } = openManifest(this.#reader, this.root!, this.#logged!, bytes);
    this.manifest = value;
    return finding;
  }

  async #signature(): Promise<Finding> {
    const documents = {
      manifest: await this.#documents.read('manifest.json'),
      modelSig: await this.#documents.read('model.sig'),
      releaseDsse: await this.#documents.read('release.dsse'),
      entry: await this.#documents.read('entry'),
      releaseProof: await this.#documents.read('release.tlog-proof'),
      recordProof: await this.#documents.read('model-sig.tlog-proof'),
    };
    return checkSignature(this.#reader, this.root!, this.#known(), documents, this.#log());
  }

  #gate(): Promise<Finding> {
    const { maxEntries, signal } = this.#options;
    return askGateAgain({
      reader: this.#reader,
      root: this.root!,
      release: this.#known(),
      view: this.#view!,
      maxEntries,
      signal,
    });
  }

  #freshness(): Promise<Finding> {
    const { signal } = this.#options;
    return checkFresh(this.#reader, this.root!, this.#logged!, this.#log(), signal);
  }

  #known() {
    return { ...this.#logged!, manifest: this.manifest! };
  }

  #log() {
    const head = this.#view?.newest ?? this.#head!;
    return { head, seen: this.#seen, read: this.#read };
  }

  #keepView({ value, finding }: Found<LogView>): Finding {
    this.#view = value;
    return finding;
  }
}

/** The documents of a release: asked for all at once, each awaited by the step that looks at it. */
class Documents {
  readonly #asked = new Map<DocumentName, Promise<Uint8Array>>();

  constructor(api: PublicApi, release: ReleaseName, signal: AbortSignal | undefined) {
    const names = ['entry', 'release.tlog-proof', 'release.dsse', 'manifest.json'] as const;
    for (const name of [...names, 'model.sig', 'model-sig.tlog-proof'] as const) {
      const answer = api.document(release, name, { signal });
      // Whoever awaits it hears of a failure; a step that is not made does not.
      answer.catch(() => {});
      this.#asked.set(name, answer);
    }
  }

  read(name: DocumentName): Promise<Uint8Array> {
    return this.#asked.get(name)!;
  }
}
