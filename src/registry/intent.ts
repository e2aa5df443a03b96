/**
 * The intent of a publish: both signatures made, and the two leaves as they will be logged.
 * Signing is random, so this is done once; from here on everybody who carries the publish
 * on, in this process or another, now or after a crash, logs these very bytes.
 */
import { formatBase64, formatHex, parseBase64 } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type EntryOf, formatEntry, parseEntry } from '../core/log/entry.ts';
import { leafHash } from '../core/log/merkle.ts';
import type { Clearance } from '../core/release/gate.ts';
import { type Manifest, parseManifest } from '../core/release/manifest.ts';
import { parseReleaseName } from '../core/release/name.ts';
import type { Role } from '../core/release/roles.ts';
import { formatEnvelope, parseEnvelope, toSign } from '../core/statement/dsse.ts';
import { formatHashedRekord, parseHashedRekord, recordOf } from '../core/statement/hashedrekord.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../core/statement/in-toto.ts';
import { formatModelStatement, parseModelStatement } from '../core/statement/oms.ts';
import type { Spki } from '../core/statement/public-key.ts';
import { formatReleaseStatement } from '../core/statement/release.ts';
import type { Intent } from './documents/draft.ts';
import type { NamedGrounds } from './grounds.ts';
import type { RegistryParts, ReleaseKey } from './parts.ts';
import { Statements } from './statements.ts';

/** The two leaves of a publish, in order. */
export interface Leaves {
  readonly entry: EntryOf<'release'>;
  /** The release key that signed both envelopes. */
  readonly spki: Spki;
  readonly bytes: readonly [entry: Uint8Array, record: Uint8Array];
}

/** Who published, when the gate was asked, and the grounds on which it said yes. */
interface Publication {
  readonly roles: readonly Role[];
  readonly time: string;
  readonly grounds: NamedGrounds;
}

/** Signs what the gate cleared, stores both envelopes and writes the leaves down. */
export async function makeIntent(
  parts: RegistryParts,
  key: ReleaseKey,
  clearance: Clearance,
  { roles, time, grounds }: Publication,
): Promise<Intent> {
  const statements = new Statements(parts);
  const manifest = parseManifest(await statements.get(clearance.digest));
  const model = formatModelStatement(
    parts.host,
    parseReleaseName(manifest.release),
    manifest.files,
  );
  const { root } = parseModelStatement(parts.host, model);
  const modelSig = await sign(key, model);
  const releaseDsse = await sign(key, releaseStatement(parts, manifest, clearance.digest, root));
  const record = formatHashedRekord(recordOf(parts.host, parseEnvelope(modelSig), key.spki));
  const entry = formatEntry({
    v: 1,
    kind: 'release',
    time,
    release: manifest.release,
    digest: clearance.digest,
    root,
    model_sig: await statements.put(modelSig),
    release_dsse: await statements.put(releaseDsse),
    record: formatHex(leafHash(parts.host, record)),
    policy: clearance.policy,
    ...grounds,
  });
  return { entry: formatBase64(entry), record: formatBase64(record), roles: [...roles] };
}

/** The leaves as they were written down. */
export function openIntent(intent: Intent): Leaves {
  const bytes = [parseBase64(intent.entry), parseBase64(intent.record)] as const;
  const parsed = parseEntry(bytes[0]);
  if (!parsed.known || parsed.entry.kind !== 'release') {
    throw new CodedError('bad-document', 'the intent of a publish holds no release entry');
  }
  return { entry: parsed.entry, bytes, spki: parseHashedRekord(bytes[1]).spki };
}

function releaseStatement(
  { origin }: RegistryParts,
  { release }: Manifest,
  manifest: Digest,
  root: Digest,
): Uint8Array {
  return formatReleaseStatement({ origin, release: parseReleaseName(release), manifest, root });
}

/** The envelope of a statement, signed by the registry. */
async function sign(key: ReleaseKey, payload: Uint8Array): Promise<Uint8Array> {
  const signature = await key.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
  return formatEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, signature);
}
