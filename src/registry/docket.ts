/**
 * The docket of a draft: every commitment about it that the log has, opened where the registry
 * was given what opens it. They are found as an auditor finds them: the labels of every key
 * that ever stood in a policy, and of the registry’s own, for D, for each former digest and for
 * each twin, n = 0, 1, 2 … until one is absent. Nothing is listed and nothing is remembered, so
 * a decision that somebody removes from the store is not gone: its label is there, and blocks.
 *
 * It is read by key alone, out of the store or out of a guard's view of it.
 */
import { equal, parseBase64 } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { inParallel } from '../core/parallel.ts';
import { decisionLabel } from '../core/release/commitment.ts';
import type { RevealedDecision } from '../core/release/decisions.ts';
import { parseNamespace } from '../core/release/name.ts';
import { type OpenedDecision, openDecision } from '../core/release/opened-decision.ts';
import { MAX_DECISIONS_PER_SIGNER } from '../core/statement/decision-context.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import { parseSpkiBase64, type Spki } from '../core/statement/public-key.ts';
import { keys } from '../store/keys.ts';
import { decisionForm, type LabelRecord, labelForm, loggedForm } from './documents/decision.ts';
import type { LoggedLabel } from './gate-shapes.ts';
import type { RegistryParts } from './parts.ts';
import type { Documents, Standing } from './policy-book.ts';

/** Keys whose labels are looked for at the same time. */
const PARALLEL = 16;
/** Decisions that are kept opened: their signatures need not be looked at again. */
const KEPT = 20_000;

/** A decision, and what opens its commitment. */
export interface Disclosed {
  readonly opened: OpenedDecision;
  readonly revealed: RevealedDecision;
}

/** Everything committed about some digests, each list by index. */
export interface ReadDocket {
  readonly disclosed: readonly Disclosed[];
  readonly unopened: readonly LoggedLabel[];
  /** `index` is that of the void. */
  readonly voids: readonly LoggedLabel[];
}

/** A label that the log has. */
interface Labelled extends LabelRecord {
  readonly label: string;
}

export class Dockets {
  readonly #parts: Pick<RegistryParts, 'host' | 'keys'>;
  readonly #opened = new Map<string, { readonly bytes: Uint8Array; readonly it: Disclosed }>();

  constructor(parts: Pick<RegistryParts, 'host' | 'keys'>) {
    this.#parts = parts;
  }

  /** What was committed about `digests`. */
  async read(from: Documents, standing: Standing, digests: readonly Digest[]): Promise<ReadDocket> {
    const signers = this.#signers(standing);
    const pairs = digests.flatMap((digest) => signers.map((spki) => ({ digest, spki })));
    const found = await inParallel(pairs, PARALLEL, ({ digest, spki }) =>
      this.#labels(from, digest, spki),
    );
    const disclosed: Disclosed[] = [];
    const unopened: LoggedLabel[] = [];
    const voids: LoggedLabel[] = [];
    for (const labelled of found.flat().toSorted(byIndex)) {
      const opened = await this.#open(from, standing, labelled);
      if (opened !== undefined) {
        disclosed.push(opened);
        continue;
      }
      const { label, index } = labelled;
      const { namespace } = standing.newest.policy;
      const voided = await from.document(keys.voided(parseNamespace(namespace), label));
      if (voided !== undefined) voids.push({ label, index: loggedForm.parse(voided).index });
      else unopened.push({ label, index });
    }
    return { disclosed, unopened, voids };
  }

  /** Everybody who can have committed: a label may be of any key that a policy ever had. */
  #signers({ history }: Standing): Spki[] {
    const people = [...(history.steps.at(-1)?.keys ?? [])].map((text) => parseSpkiBase64(text));
    return [...this.#parts.keys.releaseKeys(), ...people];
  }

  async #labels(from: Documents, digest: Digest, spki: Spki): Promise<Labelled[]> {
    const found: Labelled[] = [];
    for (let n = 0; n < MAX_DECISIONS_PER_SIGNER; n++) {
      const label = decisionLabel(this.#parts.host, digest, spki, n);
      const bytes = await from.document(keys.label(label));
      if (bytes === undefined) break;
      found.push({ label, ...labelForm.parse(bytes) });
    }
    return found;
  }

  /** The decision behind a label; undefined when it is not known, or what is there does not open it. */
  async #open(
    from: Documents,
    standing: Standing,
    labelled: Labelled,
  ): Promise<Disclosed | undefined> {
    const { label } = labelled;
    const bytes = await from.document(keys.decision(label));
    if (bytes === undefined) return undefined;
    const known = this.#opened.get(label);
    if (known !== undefined && equal(known.bytes, bytes)) return known.it;
    const it = await this.#disclose(standing, labelled, bytes).catch(() => undefined);
    if (it === undefined) return undefined;
    this.#opened.set(label, { bytes, it });
    if (this.#opened.size > KEPT) this.#opened.delete(this.#opened.keys().next().value!);
    return it;
  }

  /** Throws for what is malformed: to the gate that is a commitment that nobody opened. */
  async #disclose(
    { history }: Standing,
    { label, index, time, commit }: Labelled,
    bytes: Uint8Array,
  ): Promise<Disclosed | undefined> {
    const { host, keys: ours } = this.#parts;
    const { salt, envelope: text } = decisionForm.parse(bytes);
    const envelope = parseEnvelope(parseBase64(text));
    const signers = { history, registry: ours.releaseKeys(index) };
    const logged = { label, commit, index, time };
    const opened = await openDecision(host, signers, logged, { salt, envelope });
    if (!opened.ok) return undefined;
    return { opened: opened.decision, revealed: { index, label, salt, envelope } };
  }
}

function byIndex(a: Labelled, b: Labelled): number {
  return a.index - b.index;
}
