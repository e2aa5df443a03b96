/**
 * What a registry shows after a restart, compared with a client's journal. Everything that
 * was acknowledged is there, included and consistent; what was only asked for is there and
 * whole, or not at all; nothing else is there; and the log has only grown (the pins and the
 * audit's state remember what was seen before).
 */
import { audit } from '../../../src/client/audit/audit.ts';
import { type Reader, resolveRelease } from '../../../src/client/release.ts';
import { formatBase64 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { isCoded } from '../../../src/core/error.ts';
import { inParallel } from '../../../src/core/parallel.ts';
import { parseReference } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { ADVISED } from '../load/client.ts';
import type { Journal, JournalRelease } from '../load/journal.ts';

/** Releases that are looked at at once. */
const AT_ONCE = 4;

/** Remembers, from one restart to the next, what was seen. */
export class Comparison {
  readonly #journal: Journal;
  readonly #found: string[] = [];
  /** Releases that were verified; the audit's state covers them from then on. */
  readonly #verified = new Set<string>();
  /** Releases about which all was said that will be, and seen; the audit's state covers that too. */
  readonly #advised = new Set<JournalRelease>();
  #state: Uint8Array | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Sentences about what contradicts the journal; none when all is well. */
  async contradictions(reader: Reader): Promise<readonly string[]> {
    const before = await this.#audit(reader);
    const { releases } = this.#journal;
    await inParallel(releases, AT_ONCE, (line) => this.#compareRelease(reader, line));
    this.#compareCount(before, await this.#audit(reader));
    await this.#compareAdvisories(reader);
    return this.#found;
  }

  /** Goes on from where the audit before ended; resolves to the number of releases in the log. */
  async #audit(reader: Reader): Promise<number> {
    const report = await audit(reader, { state: this.#state });
    this.#found.push(...report.violations.map(({ index, message }) => `${index}: ${message}`));
    this.#state = report.state;
    return report.releases;
  }

  async #compareRelease(reader: Reader, line: JournalRelease): Promise<void> {
    const { reference, digest, index, asked, acknowledged } = line;
    if (this.#verified.has(reference)) return;
    const shown = await shownAs(reader, reference);
    if (shown === undefined) {
      if (acknowledged) this.#found.push(`${reference} was acknowledged and is gone`);
      return;
    }
    this.#verified.add(reference);
    if (!asked) this.#found.push(`${reference} is public, and nobody asked for it`);
    if (shown.digest !== digest) this.#found.push(`${reference} has the digest ${shown.digest}`);
    if (index !== undefined && shown.index !== index) {
      this.#found.push(`${reference} was at ${index} and is at ${shown.index}`);
    }
    line.index = shown.index;
    if (!acknowledged) line.found = true;
  }

  /** A publish that its client gave up may come to its end while we look: then the log has grown meanwhile. */
  #compareCount(before: number, after: number): void {
    const shown = this.#verified.size;
    if (before <= shown && shown <= after) return;
    this.#found.push(`the log held ${before} and holds ${after} releases, ${shown} are public`);
  }

  async #compareAdvisories(reader: Reader): Promise<void> {
    const subjects = this.#journal.acknowledged(ADVISED);
    for (const subject of subjects.filter((each) => !this.#advised.has(each))) {
      await this.#compareAdvisoriesAbout(reader, subject);
      const isLast = subject === subjects.at(-1);
      const lines = this.#journal.about(subject);
      if (!isLast && lines.every(({ index }) => index !== undefined)) this.#advised.add(subject);
    }
  }

  async #compareAdvisoriesAbout(reader: Reader, subject: JournalRelease): Promise<void> {
    const { advisories } = await resolveRelease(reader, parseReference(subject.reference));
    const logged = new Map(advisories.map(({ entry, index }) => [entry.statement, index]));
    if (logged.size !== advisories.length) this.#found.push('an advisory is logged twice');
    for (const { envelope, index } of this.#journal.about(subject)) {
      const statement = digestOf(nodeHost, envelope);
      const found = logged.get(statement);
      logged.delete(statement);
      if (index !== undefined && found !== index) {
        this.#found.push(`the advisory at ${index} is at ${found}`);
      }
      if (found === undefined) continue;
      const kept = await reader.api.advisory(found);
      if (kept.envelope !== formatBase64(envelope)) {
        this.#found.push(`the advisory at ${found} has another envelope`);
      }
    }
    if (logged.size > 0) this.#found.push(`${logged.size} advisories come from nowhere`);
  }
}

/** The verified release; undefined when it is not public, which every route must then agree on. */
async function shownAs(reader: Reader, reference: string) {
  const asked = parseReference(reference);
  try {
    const { verified } = await resolveRelease(reader, asked, { acceptRecalled: true });
    return verified;
  } catch (error) {
    if (isCoded(error, 'not-found')) return undefined;
    throw error;
  }
}
