/**
 * What a namespace says in public: announcements of releases that are not there yet, and
 * commitments that its owners void because nobody opens them. The registry checks whose words
 * they are and logs them; it adds none of its own.
 */
import { CodedError } from '../core/error.ts';
import { type Entry, formatEntry, parseEntry } from '../core/log/entry.ts';
import { openAnnouncement, parseAnnouncement } from '../core/release/announcement.ts';
import { parseReleaseName } from '../core/release/name.ts';
import { TAKING_PART } from '../core/release/roles.ts';
import { openVoid } from '../core/release/void.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Item, View } from '../log/item.ts';
import { type Key, keys } from '../store/keys.ts';
import { requireRole } from './access.ts';
import { loggedForm, MAX_ENVELOPE_BYTES } from './documents/decision.ts';
import { load } from './documents/form.ts';
import type { VoidRequest } from './gate-shapes.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { type PolicyBook, placeOf, speakersAt } from './policy-book.ts';
import type { Caller } from './registry.ts';
import { requireFew } from './signed.ts';
import { Statements } from './statements.ts';

export class PublicWords {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  readonly #book: PolicyBook;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, namespaces: Namespaces, book: PolicyBook) {
    this.#parts = parts;
    this.#namespaces = namespaces;
    this.#book = book;
    this.#statements = new Statements(parts);
  }

  /** Logs a signed announcement. The same envelope again is answered with the same index. */
  async announce(caller: Caller, bytes: Uint8Array): Promise<{ index: number }> {
    requireSize(bytes);
    const envelope = parseEnvelope(bytes, 'the announcement');
    const { release, announcement, date } = parseAnnouncement(envelope.payload);
    const name = parseReleaseName(release);
    const { namespace } = name;
    requireRole(caller, namespace, TAKING_PART);
    await this.#namespaces.get(namespace);

    const check = async (view: View) => {
      const standing = await this.#book.read(view, namespace);
      const speakers = speakersAt(standing, placeOf(view));
      requireOk(await openAnnouncement(this.#parts.host, speakers, envelope));
      if ((await view.document(keys.release(name))) === undefined) return;
      throw new CodedError('already-published', `${release} is published already`, { release });
    };
    await check(this.#presentView());
    const statement = await this.#statements.put(bytes);
    const said = { kind: 'announcement', release, announcement, date, statement } as const;
    return this.#append(keys.announcement(statement), said, check);
  }

  /** The envelope of the announcement at `index`. */
  async announcement(index: number): Promise<Uint8Array> {
    const entry = await this.#entry(index);
    if (entry?.kind === 'announcement') return this.#statements.get(entry.statement);
    throw new CodedError('not-found', `entry ${index} of the log is no announcement`);
  }

  /** Logs that the owners void a commitment which nobody has opened. */
  async voidLabel(caller: Caller, request: VoidRequest): Promise<{ index: number }> {
    const { namespace, label, signed } = request;
    requireRole(caller, namespace, TAKING_PART);
    requireFew(signed, 'a void');
    const envelopes = signed.map((bytes, i) => {
      requireSize(bytes);
      return parseEnvelope(bytes, `signed.${i}`);
    });
    await this.#namespaces.get(namespace);

    const check = async (view: View) => {
      const standing = await this.#book.read(view, namespace);
      const speakers = speakersAt(standing, placeOf(view));
      const { said } = requireOk(await openVoid(this.#parts.host, speakers, envelopes));
      if (said.label !== label) {
        throw new CodedError('bad-document', `the owners void ${said.label}, not ${label}`);
      }
      await requireUnopened(view, label);
    };
    await check(this.#presentView());
    const [first] = envelopes;
    const statement = await this.#statements.put(first!.payload);
    const digests = await Promise.all(signed.map((each) => this.#statements.put(each)));
    const said = { kind: 'void', namespace, label, statement, signed: digests } as const;
    return this.#append(keys.voided(namespace, label), said, check);
  }

  /** The envelopes of the void at `index`. */
  async voided(index: number): Promise<Uint8Array[]> {
    const entry = await this.#entry(index);
    if (entry?.kind === 'void') {
      return Promise.all(entry.signed.map((digest) => this.#statements.get(digest)));
    }
    throw new CodedError('not-found', `entry ${index} of the log is no void`);
  }

  /** Logs what is said once: `key` is where its index is noted. */
  async #append(
    key: Key,
    said: Said,
    check: (view: View) => Promise<void>,
  ): Promise<{ index: number }> {
    const known = await load(this.#parts.store, key, loggedForm);
    if (known !== undefined) return { index: known.value.index };
    try {
      return { index: (await this.#parts.log.append(itemOf(key, said, check))).index };
    } catch (error) {
      // Another request may have said the same, or our answer was lost.
      const first = await load(this.#parts.store, key, loggedForm);
      if (first === undefined) throw error;
      return { index: first.value.index };
    }
  }

  /** The store as a guard would see it now: what fails here need not be tried in the log. */
  #presentView(): View {
    const { store, clock, log, reader } = this.#parts;
    return {
      index: log.committed().size,
      time: clock(),
      document: async (key) => (await store.get(key))?.bytes,
      entry: (index) => reader.entry(index),
    };
  }

  async #entry(index: number): Promise<Entry | undefined> {
    const parsed = parseEntry(await this.#parts.reader.entry(index));
    return parsed.known ? parsed.entry : undefined;
  }
}

type Without<T> = T extends unknown ? Omit<T, 'v' | 'time'> : never;
type Said = Without<Extract<Entry, { kind: 'announcement' | 'void' }>>;

function itemOf(key: Key, said: Said, check: (view: View) => Promise<void>): Item {
  return {
    async guard(view) {
      if ((await view.document(key)) !== undefined) {
        throw new CodedError('conflict', `this ${said.kind} is logged already`);
      }
      await check(view);
    },
    entries: async (view) => [formatEntry({ ...said, v: 1, time: placeOf(view).time } as Entry)],
    documents: async ({ index }) => [
      { kind: 'immutable', key, bytes: loggedForm.format({ v: 1, index }) },
    ],
  };
}

/** What is opened is lifted by those who may, and not voided. */
async function requireUnopened(view: View, label: string): Promise<void> {
  if ((await view.document(keys.label(label))) === undefined) {
    throw new CodedError('not-found', `the log has no commitment with the label ${label}`);
  }
  if ((await view.document(keys.decision(label))) === undefined) return;
  throw new CodedError('conflict', 'that commitment was opened: it can be lifted, and not voided');
}

function requireOk<Found extends object>(verdict: Verdict<Found>): Found {
  if (verdict.ok) return verdict;
  throw new CodedError(verdict.code, verdict.message, verdict.evidence);
}

function requireSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_ENVELOPE_BYTES) return;
  throw new CodedError('too-large', `an envelope may have ${MAX_ENVELOPE_BYTES} bytes`);
}
