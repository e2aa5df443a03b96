/**
 * A server that sends for ever is cut off, whatever it is asked for: every answer has a
 * length beyond which nothing is read (CVE-2023-46737).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { GateApi } from '../../src/client/gate-api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { PublicApi } from '../../src/client/public-api.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { isCoded } from '../../src/core/error.ts';
import { formatTilePath } from '../../src/core/log/tile.ts';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { RangeConnection } from '../../src/transfer/download/connection.ts';
import { PartSender } from '../../src/transfer/part-upload.ts';
import { throughRegistry } from '../../src/transfer/upload-way.ts';
import { declared, nonceOf } from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';
import { NO_PAUSES } from '../made/reader.ts';

const MIB = 2 ** 20;
/** More than any answer may have, and still the test ends if nobody stops reading. */
const ENDLESS_MIB = 512;
const RELEASE = parseReleaseName('acme/tiny@v1');
const ACME = parseNamespace('acme');
const SIGNED = {
  payloadType: 'application/json',
  payload: utf8('{}'),
  signature: makeKey().sign(utf8('x')),
};

describe('an answer without an end', () => {
  let sent: number;

  /** A client whose server answers everything with this status and half a gigabyte. */
  function api(status: number, type = 'application/json'): Api {
    sent = 0;
    const block = new Uint8Array(MIB).fill(0x20);
    const answer: typeof fetch = async () => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (++sent > ENDLESS_MIB) controller.close();
          else controller.enqueue(block);
        },
      });
      return new Response(body, { status, headers: { 'content-type': type } });
    };
    const url = parseRegistryUrl('http://registry.example');
    return new Api({ url, fetch: answer, pauses: NO_PAUSES });
  }

  const CALLS: readonly [string, (api: Api) => Promise<unknown>][] = [
    ['opening a draft', (a) => a.openDraft(RELEASE)],
    ['the state of a draft', (a) => a.draftStatus(RELEASE)],
    ['withdrawing', (a) => a.withdraw(RELEASE)],
    ['declaring a file', (a) => a.declareFile(RELEASE, declared('a', 'a'))],
    ['completing an upload', (a) => a.completeUpload(RELEASE, 'u')],
    ['signing parts', (a) => a.signParts(RELEASE, 'u', [])],
    ['noting parts', (a) => a.noteParts(RELEASE, 'u', [])],
    ['sealing', (a) => a.seal(RELEASE, { nonce: nonceOf(1), paths: ['a'] })],
    ['the manifest of a draft', (a) => a.draftManifest(RELEASE)],
    ['publishing', (a) => a.publish(RELEASE, undefined)],
    ['committing', (a) => a.commit({ label: '00'.repeat(32), commit: '00'.repeat(32) })],
    ['deciding', (a) => a.decide(RELEASE, { index: 1, salt: '00'.repeat(32), envelope: SIGNED })],
    ['the decisions about a draft', (a) => a.decisions(RELEASE)],
    ['sending a report', (a) => a.putReport(RELEASE, utf8('x'))],
    ['a report', (a) => a.report(RELEASE, digestOf(nodeHost, utf8('x')))],
    ['changing a policy', (a) => a.setPolicy(ACME, { policy: utf8('{}'), signed: [SIGNED] })],
    ['the versions of a policy', (a) => a.policies(ACME)],
    ['announcing', (a) => a.announce(SIGNED)],
    ['an announcement', (a) => a.announcement(1)],
    ['voiding', (a) => a.voidLabel({ namespace: ACME, label: '00'.repeat(32), signed: [SIGNED] })],
    ['a void', (a) => a.voided(1)],
    ['exchanging an identity', (a) => a.exchangeToken('acme', 'x')],
    ['a link to sign in with', (a) => a.makeSignInLink()],
    ['asking to be let in', (a) => a.beginDeviceLogin({ machine: 'm' })],
    ['the token of a machine', (a) => a.takeDeviceToken('x')],
    ['making a namespace', (a) => a.createNamespace({ policy: utf8('{}'), signed: [] })],
    ['the usage of a namespace', (a) => a.usage(ACME)],
    ['a policy', (a) => a.policy(ACME)],
    ['freshness', (a) => a.freshness(ACME)],
    ['advising', (a) => a.advise(utf8('{}'))],
    ['an advisory', (a) => a.advisory(1)],
    ['a list', (a) => a.releases({})],
    ['a model', (a) => a.model(RELEASE)],
    ['a history', (a) => a.history(RELEASE)],
    ['a release', (a) => a.release(RELEASE, 'v1')],
    ['a document', (a) => a.document(RELEASE, 'model.sig')],
    ['a chunk list', (a) => a.chunkList(RELEASE, 'a')],
    ['the checkpoint', (a) => a.checkpoint()],
    ['a tile', (a) => a.tile(formatTilePath({ level: 0, index: 0, width: 256 }))],
    ['a trust root', (a) => a.root(1)],
    ['the configuration', (a) => a.configuration()],
  ];

  test('is tried with every call that there is', () => {
    const methods = [Api, GateApi, PublicApi]
      .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
      .filter((name) => name !== 'constructor' && !name.endsWith('Url'));
    expect(methods).toHaveLength(CALLS.length);
  });

  test.each(CALLS)('is not read on: %s', async (_, call) => {
    await expect(call(api(200))).rejects.toThrowWithCode('too-large');
    expect(sent).toBeLessThan(160);
  });

  test.each(['application/problem+json', 'text/html'])(
    'that refuses, as %s, is cut and still a refusal',
    async (type) => {
      await expect(api(409, type).checkpoint()).rejects.toThrowWithCode('conflict');
      expect(sent).toBeLessThan(4);
    },
  );
});

describe('a connection without an end', () => {
  /** What a server sends after it has heard something: once, and then again and again. */
  let first: string;
  let again: string;
  let server: Server;
  let written: number;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    written = 0;
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => {
        const block = again.repeat(Math.ceil(65_536 / again.length));
        const more = () => {
          written += block.length;
          if (written > ENDLESS_MIB * MIB) socket.end();
          else if (!socket.destroyed) socket.write(block, (error) => error ?? setImmediate(more));
        };
        socket.write(first, more);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;

  const RANGE = 'Content-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n';
  test.each([
    ['a header', 'HTTP/1.1 206 Partial Content\r\nX: ', 'x'],
    ['headers', 'HTTP/1.1 206 Partial Content\r\n', 'X: y\r\n'],
    ['answers before the answer', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['content', `HTTP/1.1 206 Partial Content\r\n${RANGE}`, 'x'],
    ['a refusal', 'HTTP/1.1 404 Not Found\r\nContent-Length: 9000000000000000\r\n\r\n', 'x'],
    [
      'a redirect',
      'HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 9000000000000000\r\n\r\n',
      'x',
    ],
  ])('ends a download: %s', async (_, start, more) => {
    first = start;
    again = more;
    const connection = new RangeConnection();
    const range = { offset: 0, length: 10 };
    const request = { url: url(), token: undefined, location: undefined, range, size: 10 };
    let taken = 0;
    const outcome = await connection
      .read(request, (bytes) => {
        taken += bytes.length;
      })
      .catch((error: unknown) => error);
    connection.close();
    expect(isCoded(outcome)).toBe(true);
    expect(taken).toBeLessThanOrEqual(10);
    expect(written).toBeLessThan(16 * MIB);
  });

  test.each([
    ['a good answer', 'HTTP/1.1 200 OK\r\n\r\n', 'x'],
    ['a refusal', 'HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n\r\n', ' '],
    ['headers', 'HTTP/1.1 204 No Content\r\n', 'X: y\r\n'],
    ['answers before the answer', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('ends the upload of a part: %s', async (_, start, more) => {
    first = start;
    again = more;
    const folder = await mkdtemp(join(tmpdir(), 'weighhouse-endless-'));
    const location = join(folder, 'part');
    await writeFile(location, 'x');
    const sender = new PartSender(1);
    const part = { offset: 0, length: 1, sha256: new Uint8Array(32) };
    const sending = sender.send({ ...throughRegistry(url(), undefined, part), location });
    const outcome = await sending.catch((error: unknown) => error);
    sender.close();
    await rm(folder, { recursive: true });
    expect(isCoded(outcome)).toBe(true);
    expect(written).toBeLessThan(16 * MIB);
  });
});
