/**
 * What must be true of a registry after every fault: all that its clients were told is in the
 * log, once; nothing is there by halves; nothing else is there; the log has only grown, and
 * audits; nothing that is not published can be read; every server shows all of it.
 */
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import type { PinStore } from '../../../src/client/pins.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { auditRegistry } from '../../../src/transfer/audit/audit.ts';
import type { Journal } from '../load/journal.ts';
import type { Lab } from '../load/lab.ts';
import { Comparison } from './contradictions.ts';
import { GatedComparison } from './gated.ts';
import { findUnpublished } from './unpublished.ts';

/** A registry, as its clients reach it. */
export interface Shown {
  /** The address that clients use. */
  readonly url: string;
  /** Of each server by itself; the same one where there is only one. */
  readonly servers: readonly string[];
  readonly pins: PinStore;
  /** Where the receipts lie. */
  readonly folder: string;
}

/** Remembers, from one fault to the next, what was seen. */
export class Checks {
  readonly #journal: Journal;
  readonly #lab: Lab;
  readonly #comparison: Comparison;
  readonly #gated: GatedComparison;

  constructor(journal: Journal, lab: Lab) {
    this.#journal = journal;
    this.#lab = lab;
    this.#comparison = new Comparison(journal);
    this.#gated = new GatedComparison(journal);
  }

  /** Throws with all that is wrong. The audit goes on from where the one before ended. */
  async require(shown: Shown, after: string): Promise<void> {
    const reader = readerOf(shown);
    const { pins, folder } = shown;
    const signal = new AbortController().signal;
    const connect = (token: string) => new Api({ url: reader.api.http.url, token });
    const reach = { connect, pins, folder, signal };
    const open = await this.#comparison.contradictions(reader);
    const means = this.#lab.means('rita', reach);
    const gated = await this.#gated.contradictions(means, await this.#lab.receipts(reach));
    const readable = await Promise.all(
      shown.servers.map((url) => findUnpublished(url, this.#journal)),
    );
    const found = [...open, ...gated, ...readable.flat()];
    if (found.length > 0) throw new Error(`after ${after}: ${found.join('; ')}`);
  }

  /** Throws unless all of it is good: the log from its first entry, and every byte of every release. */
  async requireAll(shown: Shown): Promise<void> {
    for (const url of shown.servers) {
      const report = await auditRegistry(readerOf({ ...shown, url }), { content: true });
      const wrong = report.violations.map(({ index, message }) => `${index}: ${message}`);
      const public_ = this.#journal.releases.filter(({ index }) => index !== undefined).length;
      if (report.releases !== public_) wrong.push(`${report.releases} releases, not ${public_}`);
      if (wrong.length > 0) throw new Error(`the audit of ${url} found: ${wrong.join('; ')}`);
    }
  }
}

function readerOf({ url, pins }: Shown) {
  const api = new Api({ url: parseRegistryUrl(url) });
  return { host: nodeHost, api, pins, clock: Date.now };
}
