/**
 * Advisories: what is said about a published release is signed by somebody of its namespace
 * and logged. The registry checks that the words are theirs to say; it adds none of its own.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type AdvisoryKind, type EntryOf, formatEntry, parseEntry } from '../core/log/entry.ts';
import { growHead } from '../core/log/grow-head.ts';
import {
  ADVISORY_PAYLOAD_TYPE,
  type Advisory,
  advisingRole,
  parseAdvisory,
} from '../core/release/advisory.ts';
import { parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import { TAKING_PART } from '../core/release/roles.ts';
import { personWhoSigned } from '../core/release/signed-by.ts';
import { type Envelope, parseEnvelope } from '../core/statement/dsse.ts';
import type { Item, StagedDocument, View } from '../log/item.ts';
import { keys } from '../store/keys.ts';
import { requireRole } from './access.ts';
import { type NamespaceRecord, namespaceForm } from './documents/namespace.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { type PolicyBook, type Standing, speakersAt } from './policy-book.ts';
import type { Caller } from './registry.ts';
import type { Releases } from './releases.ts';
import { Statements } from './statements.ts';

/** Bytes of an advisory's envelope: a summary of 2,000 characters fits several times. */
export const MAX_ADVISORY_BYTES = 32 * 1024;

/**
 * How many advisories there may be. Every pull reads all those of its namespace, and none of
 * them ever goes away: without a limit anybody who may warn could make a namespace unreadable
 * for good. Warnings leave room for what binds clients.
 */
export const ADVISORY_LIMITS = {
  namespace: { warnings: 768, all: 1_024 },
  release: { warnings: 24, all: 32 },
} as const;

interface LoggedAdvisory {
  readonly index: number;
  readonly kind: AdvisoryKind;
}

export class Advisories {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  readonly #releases: Releases;
  readonly #book: PolicyBook;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, namespaces: Namespaces, releases: Releases, book: PolicyBook) {
    this.#book = book;
    this.#parts = parts;
    this.#namespaces = namespaces;
    this.#releases = releases;
    this.#statements = new Statements(parts);
  }

  /** Logs a signed advisory. The same envelope again is answered with the same index. */
  async advise(caller: Caller, bytes: Uint8Array): Promise<LoggedAdvisory> {
    const { envelope, advisory, release } = openAdvisory(bytes);
    requireRole(caller, release.namespace, TAKING_PART);
    await this.#requireSubject(advisory, release);
    const record = await this.#namespaces.get(release.namespace);
    await this.#requireSigner(await this.#book.open(record), envelope, advisory);

    const statement = await this.#statements.put(bytes);
    const kind = advisory.advisory;
    const known = indexOf(record, statement);
    if (known !== undefined) return { index: known, kind };
    return { index: await this.#append(release, advisory, statement, record.head.policy), kind };
  }

  /** The envelope of the advisory at `index`. */
  async get(index: number): Promise<Uint8Array> {
    const parsed = parseEntry(await this.#parts.reader.entry(index));
    if (parsed.known && parsed.entry.kind === 'advisory') {
      return this.#statements.get(parsed.entry.statement);
    }
    throw new CodedError('not-found', `entry ${index} of the log is no advisory`);
  }

  /** An advisory is about bytes: about the release that is published here with that digest. */
  async #requireSubject(advisory: Advisory, release: ReleaseName): Promise<void> {
    if (advisory.origin !== this.#parts.origin) {
      throw new CodedError(
        'bad-document',
        `the advisory is for the registry ${advisory.origin}; this one is ${this.#parts.origin}`,
      );
    }
    const published = await this.#releases.get(release);
    if (published.release === advisory.release && published.digest === advisory.digest) return;
    throw new CodedError(
      'bad-document',
      `${advisory.release} has the digest ${published.digest}, not ${advisory.digest}`,
    );
  }

  /** Throws `signature-invalid` unless somebody signed whose word it is. */
  async #requireSigner(
    standing: Standing,
    envelope: Envelope,
    { advisory }: Advisory,
  ): Promise<void> {
    const role = advisingRole(advisory);
    const speakers = speakersAt(standing, this.#book.present());
    const person = await personWhoSigned(this.#parts.host, speakers, role, envelope);
    if (person !== undefined) return;
    const who = role ? `a ${role}` : 'anybody';
    throw new CodedError(
      'signature-invalid',
      `the advisory is not signed by ${who} of ${speakers.policy.namespace}; "${advisory}" takes that`,
    );
  }

  async #append(
    release: ReleaseName,
    { advisory, digest, summary, release: name }: Advisory,
    statement: Digest,
    policy: number,
  ): Promise<number> {
    const time = new Date(this.#parts.clock()).toISOString();
    const said = { advisory, digest, release: name, statement, summary };
    const entry = { v: 1, kind: 'advisory', time, ...said } as const;
    const item: Item = {
      entries: [formatEntry(entry)],
      guard: (view) => guard(view, release, entry, policy),
      documents: (view) => documentsOf(view, release, entry),
    };
    try {
      return (await this.#parts.log.append(item)).index;
    } catch (error) {
      // Another request with the same envelope may have been first, or our answer was lost.
      const known = indexOf(await this.#namespaces.get(release.namespace), statement);
      if (known === undefined) throw error;
      return known;
    }
  }
}

function openAdvisory(bytes: Uint8Array) {
  if (bytes.length > MAX_ADVISORY_BYTES) {
    throw new CodedError('too-large', `an advisory may have ${MAX_ADVISORY_BYTES} bytes`);
  }
  const envelope = parseEnvelope(bytes, 'the advisory');
  if (envelope.payloadType !== ADVISORY_PAYLOAD_TYPE) {
    throw new CodedError(
      'bad-envelope',
      `the advisory must have the type ${ADVISORY_PAYLOAD_TYPE}`,
    );
  }
  const advisory = parseAdvisory(envelope.payload);
  return { envelope, advisory, release: parseReleaseName(advisory.release) };
}

/** The signer was judged by one policy, and an advisory is logged once, if there is room for it. */
async function guard(
  view: View,
  release: ReleaseName,
  entry: EntryOf<'advisory'>,
  policy: number,
): Promise<void> {
  const record = await readNamespace(view, release);
  if (indexOf(record, entry.statement) !== undefined) {
    throw new CodedError('conflict', 'this advisory is logged already');
  }
  if (record.head.policy !== policy) {
    throw new CodedError('conflict', `the policy of ${release.namespace} changed; send it again`);
  }
  requireRoom(entry, release.namespace, record.head.advisories.length, 'namespace');
  requireRoom(entry, entry.release, record.advised?.[entry.release] ?? 0, 'release');
}

function requireRoom(
  { advisory }: EntryOf<'advisory'>,
  subject: string,
  count: number,
  of: keyof typeof ADVISORY_LIMITS,
): void {
  const isWarning = advisingRole(advisory) === undefined;
  const limit = ADVISORY_LIMITS[of][isWarning ? 'warnings' : 'all'];
  if (count < limit) return;
  const which = isWarning ? 'a warning is taken up to' : 'there may be';
  throw new CodedError(
    'too-large',
    `${subject} has ${count} advisories; ${which} ${limit} of a ${of}`,
    { limit },
  );
}

async function documentsOf(
  view: View,
  release: ReleaseName,
  entry: EntryOf<'advisory'>,
): Promise<StagedDocument[]> {
  const { index } = view;
  const before = await readNamespace(view, release);
  const count = before.advised?.[entry.release] ?? 0;
  const after = namespaceForm.format({
    ...before,
    index,
    head: growHead(before.head, entry, index),
    statements: [...before.statements, entry.statement],
    advised: { ...before.advised, [entry.release]: count + 1 },
  });
  return [{ kind: 'newest', key: keys.namespace(release.namespace), index, bytes: after }];
}

async function readNamespace(view: View, { namespace }: ReleaseName): Promise<NamespaceRecord> {
  return namespaceForm.parse((await view.document(keys.namespace(namespace)))!);
}

/** Where the namespace's log has that statement. */
function indexOf({ head, statements }: NamespaceRecord, statement: Digest): number | undefined {
  return head.advisories[statements.indexOf(statement)];
}
