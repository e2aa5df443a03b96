/**
 * Opening `model.sig`: every link from the key to the log, in the order in which a reader
 * would doubt them. The form of the file is `bundle.ts`, what it says is `oms.ts`.
 */
import { equal, utf8 } from '../bytes.ts';
import type { Host } from '../host.ts';
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts';
import { checkInclusion, leafHash } from '../log/merkle.ts';
import type { VerifierKey } from '../note/key.ts';
import { noteVerifier } from '../note/note.ts';
import { formatReleaseName, type ReleaseName } from '../release/name.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type Bundle, logIdOf, type RecordProof } from './bundle.ts';
import { openEnvelope } from './dsse.ts';
import { checkRecord, formatHashedRekord } from './hashedrekord.ts';
import { statementPayload } from './in-toto.ts';
import { type ModelStatement, parseModelStatement } from './oms.ts';
import { keyHint, type Spki } from './public-key.ts';

/** What a model signature must be, for it to be the one that was asked for. */
export interface ModelSignatureExpected {
  readonly release: ReleaseName;
  /** The release key that was valid at the bundle's log index. */
  readonly spki: Spki;
  readonly origin: string;
  /** The log keys that were valid at the bundle's tree size. */
  readonly logKeys: readonly VerifierKey[];
}

/**
 * Is this the signature of that release, by that key, in that log? Throws what the parsers
 * throw for a malformed statement or checkpoint.
 */
export async function openModelSignature(
  host: Host,
  bundle: Bundle,
  expected: ModelSignatureExpected,
): Promise<Verdict<{ readonly statement: ModelStatement; readonly checkpoint: Checkpoint }>> {
  if (bundle.hint !== keyHint(host, expected.spki)) {
    return refusal('untrusted', 'model.sig names another key than the registry’s release key');
  }
  const opened = await openEnvelope(host, bundle.envelope, expected.spki);
  if (!opened.ok) return opened;
  const statement = parseModelStatement(host, statementPayload(bundle.envelope, 'model.sig'));
  const name = formatReleaseName(expected.release);
  if (formatReleaseName(statement.release) !== name) {
    return refusal('untrusted', `model.sig is the signature of another release, not of ${name}`, {
      release: formatReleaseName(statement.release),
    });
  }
  const recorded = checkRecord(host, bundle.proof.record, bundle.envelope, expected.spki);
  if (!recorded.ok) return recorded;
  const logged = checkLogged(host, bundle.proof, expected);
  return logged.ok ? { ...logged, statement } : logged;
}

/** Does the proof lead from the record to a checkpoint that the log signed? */
function checkLogged(
  host: Host,
  proof: RecordProof,
  { origin, logKeys }: ModelSignatureExpected,
): Verdict<{ readonly checkpoint: Checkpoint }> {
  if (!logKeys.some((key) => equal(logIdOf(host, key), proof.logId))) {
    return refusal('untrusted', 'model.sig names another log than the registry’s');
  }
  const opened = openCheckpoint(utf8(proof.checkpoint), origin, logKeys.map(noteVerifier));
  if (!opened.ok) return opened;
  const { checkpoint } = opened;
  if (checkpoint.size !== proof.size || !equal(checkpoint.root, proof.root)) {
    return refusal('proof-invalid', 'model.sig states another tree than its checkpoint');
  }
  const included = checkInclusion(host, {
    index: proof.index,
    size: proof.size,
    leafHash: leafHash(host, formatHashedRekord(proof.record)),
    root: proof.root,
    proof: proof.hashes,
  });
  return included.ok ? { ok: true, checkpoint } : included;
}
