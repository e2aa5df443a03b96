/**
 * A trust root in the forms that other verifiers read (`weighhouse trust export`).
 *
 *     pem                    the release keys, for `model_signing verify key --public_key`
 *     vkey                   the log's verifier key, for whatever opens signed notes
 *     sigstore-trusted-root  TrustedRoot v0.1 (sigstore/protobuf-specs), for sigstore-js and cosign
 *     tlog-policy            C2SP tlog-policy: the log and its witnesses
 */
import { concat, formatBase64, parseHex } from '../bytes.ts';
import type { Host } from '../host.ts';
import type { Json } from '../json.ts';
import { formatVerifierKey, type VerifierKey } from '../note/key.ts';
import { logIdOf } from '../statement/bundle.ts';
import { formatPem } from '../statement/public-key.ts';
import { presentLogKey, presentReleaseKeys } from './periods.ts';
import type { RootDocument } from './root.ts';

/** What `weighhouse trust export --format` takes. */
export const EXPORT_FORMATS = ['pem', 'vkey', 'sigstore-trusted-root', 'tlog-policy'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410, section 4). */
const ED25519_SPKI_PREFIX = parseHex('302a300506032b6570032100');

/** Sigstore dates keys by time and we by index, so every time must do. */
const BEGINNING_OF_TIME = '1970-01-01T00:00:00Z';

/** The text of a root in one of the formats. Each ends in a newline. */
export function formatExport(host: Host, root: RootDocument, format: ExportFormat): string {
  switch (format) {
    case 'pem':
      return presentReleaseKeys(root).map(formatPem).join('');
    case 'vkey':
      return `${formatVerifierKey(presentLogKey(root))}\n`;
    case 'sigstore-trusted-root':
      return `${JSON.stringify(sigstoreTrustedRoot(host, root), null, 2)}\n`;
    case 'tlog-policy':
      return tlogPolicy(root);
  }
}

/**
 * Former log keys are there too: the bundles of old releases carry checkpoints that they
 * signed. Sigstore's form has no room for the size at which such a key ended.
 */
function sigstoreTrustedRoot(host: Host, root: RootDocument): Json {
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: root.log.map(({ key }) => ({
      // Not where the log is served: sigstore-js looks for the checkpoint's key name in here.
      baseUrl: `https://${root.origin}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: formatBase64(ed25519Spki(key)),
        keyDetails: 'PKIX_ED25519',
        validFor: { start: BEGINNING_OF_TIME },
      },
      // No checkpointKeyId: it came with version 0.2, and sigstore-js would then expect its
      // four bytes in place of the whole log id in every bundle.
      logId: { keyId: formatBase64(logIdOf(host, key)) },
    })),
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  };
}

function ed25519Spki(key: VerifierKey): Uint8Array {
  return concat(ED25519_SPKI_PREFIX, key.publicKey);
}

function tlogPolicy(root: RootDocument): string {
  const log = `log ${formatVerifierKey(presentLogKey(root))}\n`;
  return log + (root.witnessPolicy ?? 'quorum none\n');
}
