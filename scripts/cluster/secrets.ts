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
  /** Of the servers' own identity. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Makes them in `folder`, which must not be there. */
export function makeSecrets(folder: string, bucket: string): Secrets {
  mkdirSync(folder, { mode: 0o700 });
  const place = (name: string) => join(folder, name);
  const write = (name: string, text: string) => {
    writeFileSync(place(name), text, { mode: 0o600 });
    return place(name);
  };
  const credentials = { accessKeyId: 'weighhouse', secretAccessKey: random() };
  const { accessKeyId, secretAccessKey } = credentials;
  const actions = ['Read', 'Write', 'List'].map((action) => `${action}:${bucket}`);
  const identity = {
    name: 'weighhouse',
    credentials: [{ accessKey: accessKeyId, secretKey: secretAccessKey }],
    actions,
  };
  const operator = {
    name: 'operator',
    credentials: [{ accessKey: 'operator', secretKey: random() }],
    actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
  };
  return {
    passphrase: write('passphrase', `${random()}\n`),
    credentialsFile: write(
      'bucket-credentials',
      `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    ),
    identities: write(
      'bucket-identities.json',
      `${JSON.stringify({ identities: [operator, identity] }, null, 2)}\n`,
    ),
    credentials,
    ...makeCertificate(place('tls.crt'), place('tls.key')),
  };
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
