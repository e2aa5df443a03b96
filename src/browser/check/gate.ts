/**
 * The gate, asked again: each decision is opened against its commitment in the log, and the policy
 * that was in force judges all of them. The policies themselves are checked first, each by the one
 * before it.
 */
import { accept } from '../../client/accept.ts';
import { PolicyShelf } from '../../client/audit/policies.ts';
import { readGateDocuments } from '../../client/audit/shown.ts';
import type { LogView } from '../../client/view.ts';
import { checkCode } from '../../core/audit/documents.ts';
import { checkGate, type GateDocuments, type MetGate } from '../../core/audit/gate.ts';
import { checkFirstPolicy, checkNextPolicy } from '../../core/audit/policies.ts';
import { CodedError } from '../../core/error.ts';
import { parseDecisions } from '../../core/release/decisions.ts';
import type { Manifest } from '../../core/release/manifest.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import {
  type History,
  type LoggedPolicyEntry,
  MAX_ENTRIES_READ,
  namedPolicy,
  readPointedAt,
  readWholeHistory,
} from './history.ts';
import type { LoggedRelease } from './log.ts';
import type { PublicReader } from './reader.ts';
import type { Fact, Finding } from './step.ts';

/** What stops a release, and what owners may have voided where only the whole log shows it. */
const STOPS: ReadonlySet<unknown> = new Set(['objection', 'hold', 'postponed']);

export interface GateParts {
  readonly reader: PublicReader;
  readonly root: TrustRoot;
  readonly release: LoggedRelease & { readonly manifest: Manifest };
  readonly view: LogView;
  /** Entries before the release that are all read; fewer only in tests. */
  readonly maxEntries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function askGateAgain(parts: GateParts): Promise<Finding> {
  const { reader, release, view, root, signal } = parts;
  const { entry, index, manifest } = release;
  const documents = await readGateDocuments(reader.api, entry, signal);
  const history = await readHistory(parts, documents);
  const policies = await checkPolicies(parts, history);
  const { commitments, twins } = history;
  const { tree } = view;
  const source = {
    commitments,
    entryAt: (at: number) => tree.entry(at),
    rootAt: (size: number) => tree.rootAt(size),
  };
  const place = { root, index, history: policies };
  const named = history.policies.map(namedPolicy);
  const atGate = { entry, manifest, policies: named, twins };
  const met = await checkGate(reader.host, place, source, atGate, documents);
  if (!met.ok && !history.whole && isStopped(met.evidence)) return undecided(index);
  const { gate } = accept(met);
  accept(checkCode(manifest, gate.policy.policy));
  return { said: sentenceOf(gate, history.whole), by: wordOf(gate), facts: factsOf(gate, index) };
}

/** A short log is read as a whole; of a long one what the registry points at. */
async function readHistory(
  { reader, release: { entry, index }, view, maxEntries = MAX_ENTRIES_READ, signal }: GateParts,
  { decisions }: GateDocuments,
): Promise<History> {
  const { namespace } = parseReleaseName(entry.release);
  const about = { index, namespace };
  if (index < maxEntries) return readWholeHistory(reader.host, view.tree, about);
  const { policies } = await reader.api.policies(namespace, { signal });
  const opened = decisions === undefined ? [] : parseDecisions(decisions).decisions;
  return readPointedAt(view.tree, about, {
    policies: policies.map((policy) => policy.index),
    commitments: opened.map((decision) => decision.index),
  });
}

/** Each policy is signed by those whom the one before it names, and none is left out between. */
async function checkPolicies({ reader, root, signal }: GateParts, { policies }: History) {
  const { host, api } = reader;
  const shelf = new PolicyShelf({ host, api, root, signal });
  for (const [i, { index, entry }] of policies.entries()) {
    const documents = await shelf.read(entry.namespace, index);
    const place = { root, index };
    if (isFirst(entry)) {
      accept(await checkFirstPolicy(host, place, entry, documents));
    } else {
      const known = policies.slice(0, i);
      if (known.length === 0) throw noBeginning(index);
      const history = await shelf.history(entry.namespace, known.map(namedPolicy));
      const { policy } = await shelf.policy(entry.namespace, namedPolicy(known.at(-1)!));
      accept(await checkNextPolicy(host, { ...place, history }, entry, documents, policy));
    }
  }
  const [first] = policies;
  if (first === undefined) throw new CodedError('untrusted', 'the namespace has no policy');
  return shelf.history(first.entry.namespace, policies.map(namedPolicy));
}

function isFirst(
  entry: LoggedPolicyEntry['entry'],
): entry is Extract<LoggedPolicyEntry['entry'], { kind: 'namespace' }> {
  return entry.kind === 'namespace';
}

function noBeginning(index: number): CodedError {
  return new CodedError('untrusted', `no policy of the namespace stands before that at ${index}`);
}

function isStopped({ missing }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(missing) && missing.every(({ need }) => STOPS.has(need));
}

function undecided(index: number): Finding {
  return {
    said: `Somebody stopped this release, and only the ${index} entries before it show whether the owners voided that. Reading so many takes an audit: weighhouse audit.`,
    nothingToCheck: true,
  };
}

function sentenceOf({ gated, policy, decisions }: MetGate, whole: boolean): string {
  if (!gated) {
    return `Policy ${policy.policy.version} of the namespace asks for nobody’s approval: the registry alone signed this release.`;
  }
  const opened = `${decisions} decisions were opened against their commitments in the log, all made before the release, and together they meet policy ${policy.policy.version} of the namespace`;
  return whole
    ? `${opened}. None that was committed is left out.`
    : `${opened}. That none was left out takes the whole log, more than a page reads: weighhouse audit.`;
}

function wordOf({ gated, people }: MetGate): string {
  return gated ? people.join(', ') : 'the registry’s release key';
}

function factsOf({ policy, said }: MetGate, index: number): Fact[] {
  return [
    { label: 'Policy in force', value: `version ${policy.policy.version}, entry ${policy.index}` },
    ...said.map(({ person, decision, index: at }) => ({
      label: person,
      value: `${decision}, entry ${at}`,
    })),
    { label: 'Published', value: `entry ${index}` },
  ];
}
