/**
 * What a client asked a registry for, and what it was told. The registry may be killed at any
 * time; the journal is never lost, and what is in it as acknowledged must stay true for ever.
 */
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
  /** True when a restart showed it before it was acknowledged: the kill fell between the two. */
  found?: boolean;
}

export interface JournalAdvisory {
  /** The release that it is about. */
  readonly reference: string;
  readonly envelope: Uint8Array;
  /** Acknowledged. */
  index?: number;
}

export class Journal {
  readonly releases: JournalRelease[] = [];
  readonly advisories: JournalAdvisory[] = [];

  /** The release of that model that is under way, or the next one. */
  current(model: string): JournalRelease {
    const ours = this.releases.filter(({ reference }) => reference.startsWith(`${model}@`));
    const last = ours.at(-1);
    if (last !== undefined && !last.acknowledged) return last;
    const next = { reference: `${model}@${ours.length + 1}`, asked: false, acknowledged: false };
    this.releases.push(next);
    return next;
  }

  /** The releases of that model that were acknowledged, oldest first. */
  acknowledged(model: string): readonly JournalRelease[] {
    return this.releases.filter(
      (line) => line.acknowledged && line.reference.startsWith(`${model}@`),
    );
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
    return `${releases} releases (${found} found before they were acknowledged), ${advisories} advisories`;
  }
}
