/**
 * The files of `deploy/secrets` for a cluster that is only tried out: a passphrase, the bucket's
 * identities and the servers' credentials, and a TLS certificate that nobody but who is told to
 * trusts. docs/operations.md makes the same ones by hand.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Secrets {
  readonly passphrase: string;
  readonly credentialsFile: string;
  readonly identities: string;
  readonly certificate: string;
  readonly key: string;
  /** The servers', who may do what the bucket's policy grants. */
  readonly credentials: Credentials;
  /** Of who may do everything, and sets the policy. */
  readonly operator: Credentials;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Makes them in `folder`, which must not be there. */
export function makeSecrets(folder: string): Secrets {
  mkdirSync(folder, { mode: 0o700 });
  const place = (name: string) => join(folder, name);
  const write = (name: string, text: string) => {
    writeFileSync(place(name), text, { mode: 0o600 });
    return place(name);
  };
  const credentials = { accessKeyId: 'weighhouse', secretAccessKey: random() };
  const operator = { accessKeyId: 'operator', secretAccessKey: random() };
  const identities = [
    identity('operator', operator, ['Admin', 'Read', 'Write', 'List', 'Tagging']),
    // SeaweedFS looks for streamed bodies into the identity alone, and not into the bucket's policy.
    identity('weighhouse', credentials, ['Write:weighhouse/registry/blobs/*']),
  ];
  return {
    passphrase: write('passphrase', `${random()}\n`),
    credentialsFile: write('bucket-credentials', formatCredentials(credentials)),
    identities: write('bucket-identities.json', `${JSON.stringify({ identities }, null, 2)}\n`),
    credentials,
    operator,
    ...makeCertificate(place('tls.crt'), place('tls.key')),
  };
}

/** An identity as SeaweedFS reads it. */
function identity(name: string, credentials: Credentials, actions: readonly string[]) {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
  return { name, credentials: [{ accessKey, secretKey }], actions };
}

/** A shared credentials file, as every AWS SDK reads it. */
function formatCredentials({ accessKeyId, secretAccessKey }: Credentials): string {
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

function makeCertificate(certificate: string, key: string) {
  const request = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '30'],
    ...['-keyout', key, '-out', certificate],
  ];
  execFileSync('openssl', request, { stdio: 'ignore' });
  return { certificate, key };
}

function random(): string {
  return randomBytes(24).toString('base64url');
}
