/**
 * What a client asked a registry for, and what it was told. The registry may be killed at any
 * time; the journal is never lost, and what is in it as acknowledged must stay true for ever.
 */
import { decisionIn, type Receipt } from '../../../src/client/receipts.ts';
import type { Digest } from '../../../src/core/digest.ts';

export interface JournalRelease {
  readonly reference: string;
  /** Once a push was acknowledged. */
  digest?: Digest;
  /** True once publishing was asked for: from then on it may be public. */
  asked: boolean;
  /** The log index: acknowledged, or found after a restart. */
  index?: number;
  acknowledged: boolean;
  /** What the acknowledgement said: false while it is logged, and nobody can see it yet. */
  published?: boolean;
  /** True when a restart showed it before it was acknowledged: the kill fell between the two. */
  found?: boolean;
  /** How often a gated one is to be held, and that lifted, before it is published. */
  holds?: number;
}

export interface JournalAdvisory {
  /** The release that it is about. */
  readonly reference: string;
  readonly envelope: Uint8Array;
  /** Acknowledged. */
  index?: number;
}

/** A decision that was acknowledged. */
export interface JournalDecision {
  readonly who: string;
  readonly receipt: Receipt;
}

export class Journal {
  readonly releases: JournalRelease[] = [];
  readonly advisories: JournalAdvisory[] = [];
  readonly decisions: JournalDecision[] = [];

  /** The release of that model that is under way, or the next one. */
  current(model: string): JournalRelease {
    const ours = this.of(model);
    const last = ours.at(-1);
    if (last !== undefined && !last.acknowledged) return last;
    const next = { reference: `${model}@${ours.length + 1}`, asked: false, acknowledged: false };
    this.releases.push(next);
    return next;
  }

  /** The releases of that model, oldest first. */
  of(model: string): readonly JournalRelease[] {
    return this.releases.filter(({ reference }) => reference.startsWith(`${model}@`));
  }

  /** Those that were acknowledged. */
  acknowledged(model: string): readonly JournalRelease[] {
    return this.of(model).filter((line) => line.acknowledged);
  }

  /** Publishing was acknowledged. Throws when that contradicts what is known. */
  acknowledge(
    line: JournalRelease,
    { digest, index, published }: { digest: Digest; index: number; published: boolean },
  ): void {
    if (digest !== line.digest) throw new Error(`${line.reference} was published as ${digest}`);
    if (line.index !== undefined && line.index !== index) {
      throw new Error(`${line.reference} was at ${line.index} and is at ${index}`);
    }
    Object.assign(line, { index, acknowledged: true, published });
  }

  /** The decisions about a release that were acknowledged, oldest first. */
  decided({ reference }: JournalRelease): readonly JournalDecision[] {
    return this.decisions.filter(({ receipt }) => receipt.release === reference);
  }

  /** Those of one person and kind. */
  saidBy(who: string, decision: string, line: JournalRelease): readonly Receipt[] {
    const theirs = this.decided(line).filter((each) => each.who === who);
    const receipts = theirs.map(({ receipt }) => receipt);
    return receipts.filter((receipt) => decisionIn(receipt).decision === decision);
  }

  /** What was said, or begun to be said, about a release. */
  about({ reference }: JournalRelease): readonly JournalAdvisory[] {
    return this.advisories.filter((line) => line.reference === reference);
  }

  /** How much of what was asked for was acknowledged; for people. */
  describe(): string {
    const releases = this.releases.filter((line) => line.acknowledged).length;
    const advisories = this.advisories.filter(({ index }) => index !== undefined).length;
    const found = this.releases.filter((line) => line.found).length;
    const counts = `${this.decisions.length} decisions, ${advisories} advisories`;
    return `${releases} releases (${found} found before they were acknowledged), ${counts}`;
  }
}
