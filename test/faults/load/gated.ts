/**
 * The hand that releases behind the gate: pushes, has it evaluated and approved, holds and lifts
 * it now and then, and publishes. Each time it begins with what the kill before left: receipts
 * are resumed, and what was decided already is not decided again.
 */
import {
  decide,
  draftDecision,
  type Said,
  signEnvelope,
} from '../../../src/client/decide/decide.ts';
import { resumeReceipt, unfinished } from '../../../src/client/decide/resume.ts';
import { nameOf, type Receipt } from '../../../src/client/receipts.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { isCoded } from '../../../src/core/error.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { type Envelope, parseEnvelope } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import type { Journal, JournalRelease } from './journal.ts';
import { type Lab, NAMES, type Name, type Reach } from './lab.ts';
import { type Pusher, pushModel } from './push.ts';

export const GATED = 'lab/tiny';

/** Seconds that decisions are good: longer than any run. */
const LASTS = 24 * 3600;
const REPORT = utf8('{"score":1}');

export interface GatedParts extends Pusher, Reach {
  readonly journal: Journal;
  readonly lab: Lab;
}

/** Takes the gated release that is under way to its end. */
export async function releaseGated(parts: GatedParts): Promise<void> {
  await resume(parts);
  await new GatedRelease(parts, parts.journal.current(GATED)).release();
}

/** Everybody's `decide --resume`: whatever was signed is recorded. */
async function resume(parts: GatedParts): Promise<void> {
  for (const who of NAMES) {
    const means = parts.lab.means(who, parts);
    for (const begun of await unfinished(means)) {
      const receipt = await resumeReceipt(means, begun);
      if (receipt.state !== 'recorded') {
        throw new Error(`decision ${begun.n} of ${who} on ${begun.release} is ${receipt.state}`);
      }
      parts.journal.decisions.push({ who, receipt });
    }
  }
}

class GatedRelease {
  readonly #parts: GatedParts;
  readonly #line: JournalRelease;

  constructor(parts: GatedParts, line: JournalRelease) {
    this.#parts = parts;
    this.#line = line;
    // Every other one is held at once.
    line.holds ??= Number(this.#release.version) % 2;
  }

  async release(): Promise<void> {
    const line = this.#line;
    line.digest ??= await pushModel(this.#parts, this.#api('pat'), line.reference);
    await this.#evaluate();
    await this.#decide('rita', { decision: 'approve' });
    await this.#decide('rob', { decision: 'approve' });
    await this.#publish();
  }

  get #release() {
    return parseReleaseName(this.#line.reference);
  }

  async #evaluate(): Promise<void> {
    const { signal } = this.#parts;
    const report = { digest: digestOf(nodeHost, REPORT), size: REPORT.length };
    await this.#api('eve').putReport(this.#release, REPORT, { signal });
    await this.#decide('eve', { decision: 'evaluate', suite: 'safety', result: 'passed', report });
  }

  /** Publishes. What was asked for before, without an answer, and is sealed again, is held first. */
  async #publish(): Promise<void> {
    const { journal, signal } = this.#parts;
    const line = this.#line;
    const { state } = await this.#api('max').draftStatus(this.#release, { signal });
    const isSealed = state === 'sealed';
    const holds = line.holds!;
    for (let nth = 1; isSealed && nth <= holds; nth++) await this.#holdAndLift(nth);
    const intent = isSealed ? await this.#signIntent() : undefined;
    Object.assign(line, { asked: true, holds: holds + 1 });
    journal.acknowledge(line, await this.#ask(intent));
  }

  async #holdAndLift(nth: number): Promise<void> {
    const hold = await this.#decide('max', { decision: 'hold', reason: `Wait ${nth}` }, nth);
    if (this.#said('max', 'lift').length >= nth) return;
    // Unless the lift is there already: nobody could publish now, whoever signs it.
    if (!(await this.#isHeld())) throw new Error(`${this.#line.reference} is not held`);
    const lifts = nameOf(nodeHost, hold);
    await this.#decide('max', { decision: 'lift', lifts, reason: 'Go on' }, nth);
  }

  /** Tries to publish, and looks why it cannot be. */
  async #isHeld(): Promise<boolean> {
    const intent = await this.#signIntent();
    try {
      await this.#ask(intent);
      return false;
    } catch (error) {
      if (!isCoded(error, 'gate-unmet')) throw error;
      const missing = error.details.missing as readonly { readonly need: string }[];
      return missing.length === 1 && missing[0]!.need === 'hold';
    }
  }

  #ask(intent: Envelope | undefined) {
    const { digest } = this.#line;
    const { signal } = this.#parts;
    return this.#api('max').publish(this.#release, digest, { signal, intent });
  }

  async #signIntent(): Promise<Envelope> {
    const { lab } = this.#parts;
    const signer = lab.signer('max');
    const means = lab.means('max', this.#parts);
    const { decision } = await draftDecision(
      means,
      signer.spki,
      this.#wish({ decision: 'publish' }),
    );
    return parseEnvelope(await signEnvelope(signer, decision));
  }

  /** The `nth` decision of that kind by that person: the one that is recorded, or a new one. */
  async #decide(who: Name, said: Said, nth = 1): Promise<Receipt> {
    const made = this.#said(who, said.decision)[nth - 1];
    if (made !== undefined) return made;
    const { lab, journal } = this.#parts;
    const means = lab.means(who, this.#parts);
    const receipt = await decide(means, lab.signer(who), this.#wish(said), async () => {});
    journal.decisions.push({ who, receipt });
    return receipt;
  }

  #said(who: Name, decision: string): readonly Receipt[] {
    return this.#parts.journal.saidBy(who, decision, this.#line);
  }

  #wish(said: Said) {
    return { release: this.#release, said, named: this.#line.digest, lasts: LASTS };
  }

  #api(who: Name) {
    return this.#parts.lab.api(who, this.#parts);
  }
}
