/** Whatever an issuer serves in place of its keys takes a bounded time and memory, and lets nobody in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from '@jest/globals';
import { MAX_DOCUMENT_BYTES } from '../../src/oidc/document.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing({ network: { timeout: 300 } });

/** The issuer serves its key set so, and the job is refused. */
async function refused(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  publishing().issuer.answer = (request, response) => {
    if (request.url !== '/keys') return false;
    answer(response, request);
    return true;
  };
  const { status, body } = await publishing().exchange(await publishing().token());
  expect([status, body.code]).toEqual([502, 'network']);
  return body.detail as string;
}

test('a huge key set is cut off where it is too long', async () => {
  const keys = publishing().issuer.keys.map(({ jwk }) => jwk);
  const document = JSON.stringify({ keys, padding: 'x'.repeat(MAX_DOCUMENT_BYTES) });
  expect(await refused((response) => response.end(document))).toContain('longer than');
});

test('a key set that never ends is cut off, too', async () => {
  let sent = 0;
  await refused((response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384))) sent += 16_384;
    };
    response.on('drain', more);
    more();
  });
  // What the kernel took ahead of us counts as well.
  expect(sent).toBeLessThan(64 * MAX_DOCUMENT_BYTES);
});

test('one that drips, and one that does not come at all, are given up', async () => {
  expect(
    await refused((response, request) => {
      const dripping = setInterval(() => response.write(' '), 20);
      request.socket.once('close', () => clearInterval(dripping));
    }),
  ).toContain('too long');
  publishing().pass(60_000);
  expect(await refused(() => {})).toContain('too long');
});

test('a short body of the right length, and a compressed one, are refused', async () => {
  await refused((response) => {
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('{"keys":');
    setImmediate(() => response.destroy());
  });
  publishing().pass(60_000);
  expect(
    await refused((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')),
  ).toContain('compressed');
});

test.each([
  ['no JSON', '<html>'],
  ['nested deeply', '['.repeat(1_000)],
  ['without keys', '{}'],
  ['with keys that are no list', '{"keys":{}}'],
  ['of a thousand keys', JSON.stringify({ keys: Array.from({ length: 1_000 }, () => ({})) })],
  ['with a name twice', '{"keys":[],"keys":[]}'],
])('a key set %s is refused', async (_, document) => {
  await refused((response) => response.end(document));
});

test('when it is well again, jobs are let in', async () => {
  await refused((response) => response.end('<html>'));
  publishing().issuer.answer = () => false;
  publishing().pass(10_000);
  await publishing().admitted();
});
