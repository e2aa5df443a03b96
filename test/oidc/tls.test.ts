/** The connection goes to the pinned address, and the certificate must still be the name's. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { getDocument } from '../../src/oidc/document.ts';
import { testNetwork } from '../made/trusted-publishing.ts';

let folder: string;
let server: Server;
let certificate: string;
let asked: { readonly name: unknown; readonly host: string | undefined }[];
const network = testNetwork({ resolve: async () => ['127.0.0.1'] });
const trusted = getCACertificates('default');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weighhouse-tls-'));
  const [keyFile, certFile] = [join(folder, 'tls.key'), join(folder, 'tls.pem')];
  const request = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=issuer.test', '-addext', 'subjectAltName=DNS:issuer.test', '-days', '2'],
    ...['-keyout', keyFile, '-out', certFile],
  ];
  execFileSync('openssl', request, { stdio: 'ignore' });
  certificate = readFileSync(certFile, 'utf8');
  asked = [];
  server = createServer({ key: readFileSync(keyFile), cert: certificate }, (request, response) => {
    const { servername } = request.socket as { servername?: unknown };
    asked.push({ name: servername, host: request.headers.host });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const port = () => (server.address() as AddressInfo).port;

test('a certificate of nobody’s is refused', async () => {
  const document = getDocument(new URL(`https://issuer.test:${port()}/`), network);
  await expect(document).rejects.toThrowWithCode('network');
  expect(asked).toEqual([]);
});

test('the right name’s is taken, at an address that only we know', async () => {
  setDefaultCACertificates([...trusted, certificate]);
  const bytes = await getDocument(new URL(`https://issuer.test:${port()}/`), network);
  expect(new TextDecoder().decode(bytes)).toBe('{}');
  expect(asked).toEqual([{ name: 'issuer.test', host: `issuer.test:${port()}` }]);
});

test('another name’s is refused, and an address has none', async () => {
  for (const host of ['other.test', '127.0.0.1']) {
    const document = getDocument(new URL(`https://${host}:${port()}/`), network);
    await expect(document).rejects.toThrowWithCode('network');
  }
  expect(asked).toHaveLength(1);
});
