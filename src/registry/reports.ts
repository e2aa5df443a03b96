/**
 * Reports of evaluations. Whoever evaluates sends the report first and then signs its digest;
 * with the release it becomes public, unless the evaluation keeps it private. Until then those may
 * read it who are shown the evaluation. Reports are kept apart from all other documents, by
 * namespace: a digest that somebody signs opens nothing that nobody of that namespace sent as a
 * report.
 */
import { concat } from '../core/bytes.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { parseDecisions } from '../core/release/decisions.ts';
import { MAX_REPORT_BYTES } from '../core/release/documents.ts';
import { formatReleaseName, type Namespace, type ReleaseName } from '../core/release/name.ts';
import { TAKING_PART } from '../core/release/roles.ts';
import { type Decision, parseDecision } from '../core/statement/decision.ts';
import { keys } from '../store/keys.ts';
import { requireRole } from './access.ts';
import type { Drafts } from './drafts.ts';
import type { RegistryParts } from './parts.ts';
import type { Caller } from './registry.ts';
import type { Releases } from './releases.ts';
import { Statements } from './statements.ts';

/** Releases of which it is kept which reports they reveal. */
const KEPT = 100;

export class Reports {
  readonly #parts: RegistryParts;
  readonly #drafts: Drafts;
  readonly #releases: Releases;
  readonly #statements: Statements;
  readonly #revealed = new Map<Digest, ReadonlySet<Digest>>();

  constructor(parts: RegistryParts, drafts: Drafts, releases: Releases) {
    this.#parts = parts;
    this.#drafts = drafts;
    this.#releases = releases;
    this.#statements = new Statements(parts);
  }

  /** Stores a report; throws `too-large` as soon as it is. */
  async put(caller: Caller, release: ReleaseName, body: AsyncIterable<Uint8Array>) {
    requireRole(caller, release.namespace, TAKING_PART);
    await this.#drafts.get(release);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body) {
      size += part.length;
      if (size > MAX_REPORT_BYTES) {
        throw new CodedError('too-large', `a report may have ${MAX_REPORT_BYTES} bytes`);
      }
      parts.push(part);
    }
    const bytes = concat(...parts);
    const digest = digestOf(this.#parts.host, bytes);
    await this.#parts.store.create(keys.report(release.namespace, digest), bytes);
    return { digest, size };
  }

  /** Throws `conflict` unless the report of an evaluation that reveals it is here. */
  async require(namespace: Namespace, statement: Decision): Promise<void> {
    if (statement.decision !== 'evaluate' || statement.report.private) return;
    const { digest, size } = statement.report;
    const there = await this.#parts.store.size(keys.report(namespace, digest));
    if (there === size) return;
    throw new CodedError(
      'conflict',
      there === undefined
        ? `the report ${digest} is not here; send it first, or keep it private`
        : `the report ${digest} has ${there} bytes, not ${size}`,
    );
  }

  /** A report that the published release reveals. Throws `not-found`. */
  async get(release: ReleaseName, digest: Digest): Promise<Uint8Array> {
    const { decisions } = await this.#releases.get(release);
    const isRevealed = decisions !== undefined && (await this.#of(decisions)).has(digest);
    const report = isRevealed ? await this.#read(release.namespace, digest) : undefined;
    if (report !== undefined) return report;
    throw new CodedError('not-found', `${formatReleaseName(release)} reveals no such report`);
  }

  /**
   * A report that one of `decisions` names, and does not keep private: who is shown the decision
   * may read what it rests on. Throws `not-found`.
   */
  async namedBy(
    decisions: readonly Decision[],
    release: ReleaseName,
    digest: Digest,
  ): Promise<Uint8Array> {
    const isNamed = decisions.some(
      (each) =>
        each.decision === 'evaluate' && !each.report.private && each.report.digest === digest,
    );
    const report = isNamed ? await this.#read(release.namespace, digest) : undefined;
    if (report !== undefined) return report;
    throw new CodedError(
      'not-found',
      `no evaluation of ${formatReleaseName(release)} names such a report`,
    );
  }

  async #read(namespace: Namespace, digest: Digest): Promise<Uint8Array | undefined> {
    const key = keys.report(namespace, digest);
    const stored = await this.#parts.store.get(key, MAX_REPORT_BYTES);
    if (stored === undefined || digestOf(this.#parts.host, stored.bytes) === digest) {
      return stored?.bytes;
    }
    throw new CodedError('storage', `${key} in ${this.#parts.store.name} is damaged; restore it`, {
      key,
    });
  }

  /** The reports that a decisions.json names and does not keep private. */
  async #of(decisions: Digest): Promise<ReadonlySet<Digest>> {
    const known = this.#revealed.get(decisions);
    if (known !== undefined) return known;
    const parsed = parseDecisions(await this.#statements.get(decisions));
    const revealed = new Set<Digest>();
    for (const { envelope } of parsed.decisions) {
      const statement = parseDecision(envelope.payload);
      if (statement.decision !== 'evaluate' || statement.report.private) continue;
      revealed.add(statement.report.digest);
    }
    this.#revealed.set(decisions, revealed);
    if (this.#revealed.size > KEPT) this.#revealed.delete(this.#revealed.keys().next().value!);
    return revealed;
  }
}
