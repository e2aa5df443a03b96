/** A whole `model.sig`, signed and logged in a log of four entries that only exists here. */

import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { type Origin, parseOrigin, signCheckpoint } from '../../src/core/log/checkpoint.ts';
import { leafHash, proveInclusion, rootOfLeaves } from '../../src/core/log/merkle.ts';
import { type SigningKey, signingKey } from '../../src/core/note/key.ts';
import { noteSigner } from '../../src/core/note/note.ts';
import { parseReleaseName, type ReleaseName } from '../../src/core/release/name.ts';
import { type Bundle, logIdOf } from '../../src/core/statement/bundle.ts';
import { type Envelope, toSign } from '../../src/core/statement/dsse.ts';
import { formatHashedRekord, recordOf } from '../../src/core/statement/hashedrekord.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../src/core/statement/in-toto.ts';
import { formatModelStatement, type Resource } from '../../src/core/statement/oms.ts';
import { keyHint } from '../../src/core/statement/public-key.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type MadeKey, makeKey } from './p256.ts';

export const ORIGIN: Origin = parseOrigin('models.example.org');

export interface MadeModelSignature {
  readonly release: ReleaseName;
  readonly resources: readonly Resource[];
  readonly key: MadeKey;
  readonly logKey: SigningKey;
  readonly bundle: Bundle;
}

export interface ModelSignatureParts {
  readonly release?: string;
  /** Contents by path. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly key?: MadeKey;
  readonly logKey?: SigningKey;
}

/** The log's key, from a seed that everyone may know. */
export function makeLogKey(seed = 7, origin: string = ORIGIN): SigningKey {
  return signingKey(nodeHost, origin, new Uint8Array(32).fill(seed));
}

export function makeModelSignature(parts: ModelSignatureParts = {}): MadeModelSignature {
  const release = parseReleaseName(parts.release ?? 'acme/tiny@v1.0');
  const files = parts.files ?? {
    'config.json': utf8('{}'),
    'weights/model.safetensors': utf8('w'),
  };
  const key = parts.key ?? makeKey();
  const logKey = parts.logKey ?? makeLogKey();
  const resources = Object.entries(files).map(([path, bytes]) => ({
    path,
    sha256: digestOf(nodeHost, bytes),
  }));
  const payload = formatModelStatement(nodeHost, release, resources);
  const signature = key.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
  const envelope = { payloadType: IN_TOTO_PAYLOAD_TYPE, payload, signature };
  return { release, resources, key, logKey, bundle: logged(envelope, key, logKey) };
}

/** The envelope's record is entry 1 of 4, so that its proof has two hashes. */
function logged(envelope: Envelope, key: MadeKey, logKey: SigningKey): Bundle {
  const record = recordOf(nodeHost, envelope, key.spki);
  const entries = [utf8('release'), formatHashedRekord(record), utf8('heads'), utf8('advisory')];
  const leaves = entries.map((entry) => leafHash(nodeHost, entry));
  const root = rootOfLeaves(nodeHost, leaves);
  const head = { origin: logKey.name, size: leaves.length, root };
  return {
    hint: keyHint(nodeHost, key.spki),
    envelope,
    proof: {
      record,
      logId: logIdOf(nodeHost, logKey),
      index: 1,
      size: leaves.length,
      root,
      hashes: proveInclusion(nodeHost, leaves, 1),
      checkpoint: parseUtf8(signCheckpoint(head, [noteSigner(logKey)])),
    },
  };
}
