/**
 * What a registry shows of gated releases after a restart, compared with the journal and with
 * everybody's receipts. A decision that was acknowledged is shown, and revealed once its release
 * is public; one of which the log was seen to hold the commitment is there still; nothing is
 * shown that nobody signed; and nothing was published that somebody held.
 */
import type { OpenMeans } from '../../../src/cli/means.ts';
import {
  checkReceipt,
  type ReceiptState,
  type Revealed,
} from '../../../src/client/decide/check.ts';
import type { ShownDecision } from '../../../src/client/decide/desk.ts';
import { readRevealed } from '../../../src/client/decide/released.ts';
import { standing } from '../../../src/client/decide/standing.ts';
import { decisionIn, type Receipt } from '../../../src/client/receipts.ts';
import { equal } from '../../../src/core/bytes.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { formatEnvelope } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { GATED } from '../load/gated.ts';
import type { Journal, JournalRelease } from '../load/journal.ts';

/** What no receipt may be, whether its release is out or not. */
const UNWELL: readonly ReceiptState[] = ['lost', 'denied'];

type Read = Awaited<ReturnType<typeof readRevealed>>;

const isShown = (release: Read): release is Revealed =>
  release !== undefined && !('unshown' in release);

/** Remembers, from one restart to the next, what was seen. */
export class GatedComparison {
  readonly #journal: Journal;
  readonly #found: string[] = [];
  /** Releases that were seen with all their decisions; the audit's state covers them from then on. */
  readonly #revealed = new Set<string>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Sentences about what contradicts the journal or a receipt; none when all is well. */
  async contradictions(means: OpenMeans, kept: readonly Receipt[]): Promise<readonly string[]> {
    const { desk, reader } = means;
    const log = await desk.log();
    for (const line of this.#journal.of(GATED)) {
      const { reference } = line;
      if (this.#revealed.has(reference)) continue;
      const release = await readRevealed(reader, desk, log, parseReleaseName(reference));
      const receipts = this.#receiptsOf(line, kept);
      for (const receipt of receipts.values()) {
        const { state } = await checkReceipt(means, log, release, receipt);
        const isWell = isShown(release) ? state === 'revealed' : !UNWELL.includes(state);
        if (!isWell) this.#found.push(`${describe(receipt)} is ${state}`);
      }
      if (!isShown(release)) await this.#compareShown(means, line, receipts);
      else this.#compareRevealed(line, release, receipts);
    }
    return this.#found;
  }

  /** By label; what the journal has as acknowledged is the last word. */
  #receiptsOf(line: JournalRelease, kept: readonly Receipt[]): ReadonlyMap<string, Receipt> {
    const theirs = kept.filter(({ release }) => release === line.reference);
    const acknowledged = this.#journal.decided(line).map(({ receipt }) => receipt);
    return new Map([...theirs, ...acknowledged].map((receipt) => [receipt.label, receipt]));
  }

  async #compareShown(
    { desk }: OpenMeans,
    line: JournalRelease,
    receipts: ReadonlyMap<string, Receipt>,
  ): Promise<void> {
    // Before a push was acknowledged nobody decides, and nothing need be sealed.
    if (receipts.size === 0) return;
    const { decisions, unopened } = await desk.draft(parseReleaseName(line.reference));
    this.#compareOrigin(line, decisions, receipts);
    for (const { label, index } of unopened) {
      if (receipts.has(label)) continue;
      this.#found.push(`the commitment at ${index} comes from nowhere`);
    }
    const shown = new Map(decisions.map((decision) => [decision.label, decision]));
    for (const { receipt } of this.#journal.decided(line)) {
      const theirs = shown.get(receipt.label);
      const isShown = theirs?.index === receipt.index && equal(theirs.envelope, receipt.envelope);
      if (!isShown) this.#found.push(`${describe(receipt)} was acknowledged and is not shown`);
    }
  }

  #compareRevealed(
    line: JournalRelease,
    { index, digest, decisions: document }: Revealed,
    receipts: ReadonlyMap<string, Receipt>,
  ): void {
    const decisions = (document?.decisions ?? []).map(({ envelope, ...rest }) => {
      const { payloadType, payload, signature } = envelope;
      return { ...rest, envelope: formatEnvelope(payloadType, payload, signature) };
    });
    this.#compareOrigin(line, decisions, receipts);
    const before = decisions.filter((decision) => decision.index < index);
    const draft = { digest, revision: 1, decisions: before, unopened: [], voids: [] };
    for (const stop of standing(nodeHost, draft, false)) {
      this.#found.push(`${line.reference} is public, and the ${stop.decision} stands`);
    }
    this.#revealed.add(line.reference);
  }

  /** Besides the registry's own seals there is nothing that nobody signed. */
  #compareOrigin(
    { reference }: JournalRelease,
    decisions: readonly ShownDecision[],
    receipts: ReadonlyMap<string, Receipt>,
  ): void {
    for (const { index, label, envelope } of decisions) {
      const { decision } = decisionIn({ envelope });
      if (decision === 'seal' || receipts.has(label)) continue;
      this.#found.push(`${decision} at ${index}, about ${reference}, comes from nowhere`);
    }
  }
}

function describe(receipt: Receipt): string {
  const { decision } = decisionIn(receipt);
  return `${decision} of ${receipt.release} (n = ${receipt.n}, entry ${receipt.index})`;
}
