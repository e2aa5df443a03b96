/**
 * What the log names, the registry must show. A document that it does not is a violation of
 * the entry that names it, whatever the registry gives as its reason; only that nobody could
 * be reached, or that the auditor stopped, says nothing about it.
 */
import { saysNothing } from '../../core/audit/findings.ts';
import type { GateDocuments } from '../../core/audit/gate.ts';
import type { Digest } from '../../core/digest.ts';
import { CodedError, messageOf } from '../../core/error.ts';
import type { EntryOf } from '../../core/log/entry.ts';
import type { DocumentName } from '../../core/release/documents.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { ReleaseDocuments } from '../../core/verify/release.ts';
import type { PublicApi } from '../public-api.ts';
import { readDocuments } from '../release.ts';

/** The documents of a release that are the log's; the others are named by their digests. */
const OF_THE_LOG: ReadonlySet<DocumentName> = new Set([
  'entry',
  'release.tlog-proof',
  'model-sig.tlog-proof',
]);

/** What `read` gives. Throws `digest-mismatch`, naming `what`, where the registry does not show it. */
export async function readNamed<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (saysNothing(error)) throw error;
    throw notShown('digest-mismatch', what, error);
  }
}

/** All documents of a release. Throws `digest-mismatch` or `proof-invalid`, naming all that are not shown. */
export async function readShownDocuments(
  api: PublicApi,
  release: ReleaseName,
  signal: AbortSignal | undefined,
): Promise<ReleaseDocuments> {
  const failures = new Map<DocumentName, unknown>();
  const document: PublicApi['document'] = async (of, name, options) => {
    try {
      return await api.document(of, name, options);
    } catch (error) {
      if (saysNothing(error)) throw error;
      failures.set(name, error);
      return new Uint8Array();
    }
  };
  const documents = await readDocuments({ document }, release, signal);
  if (failures.size === 0) return documents;
  const names = [...failures.keys()].sort();
  const [reason] = failures.values();
  const isProof = names.every((name) => OF_THE_LOG.has(name));
  const what = `${names.join(', ')} of ${formatReleaseName(release)}`;
  throw notShown(isProof ? 'proof-invalid' : 'digest-mismatch', what, reason);
}

/** Those documents of the gate that the entry names. Throws `digest-mismatch` for one that is not shown. */
export async function readGateDocuments(
  api: Pick<PublicApi, 'document'>,
  entry: EntryOf<'release'>,
  signal: AbortSignal | undefined,
): Promise<GateDocuments> {
  const release = parseReleaseName(entry.release);
  const read = async (digest: Digest | undefined, name: DocumentName) =>
    digest === undefined
      ? undefined
      : readNamed(`${name} of ${formatReleaseName(release)}`, () =>
          api.document(release, name, { signal }),
        );
  const [decisions, verdict, intent] = await Promise.all([
    read(entry.decisions, 'decisions.json'),
    read(entry.verdict, 'verdict.dsse'),
    read(entry.intent, 'intent.dsse'),
  ]);
  return { decisions, verdict, intent };
}

function notShown(
  code: 'digest-mismatch' | 'proof-invalid',
  what: string,
  reason: unknown,
): CodedError {
  const message = `the log names ${what}, and the registry does not show it: ${messageOf(reason)}`;
  return new CodedError(code, message, { document: what }, { cause: reason });
}
