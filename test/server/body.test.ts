import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bytesOf } from '../../src/server/body.ts';

describe('the bytes of an upload', () => {
  const servers: ReturnType<typeof createServer>[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** Serves one upload, and gives what became of reading it with `read`. */
  async function upload<T>(
    send: (outgoing: ReturnType<typeof request>) => void,
    read: (incoming: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<Promise<T>>();
    const server = createServer((incoming, response) => {
      const reading = read(incoming);
      resolve(reading);
      reading.finally(() => response.end()).catch(() => {});
    });
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const outgoing = request({ port, host: '127.0.0.1', method: 'PUT' });
    outgoing.on('error', () => {}).on('response', (response) => response.resume());
    send(outgoing);
    return promise;
  }

  test('come whole and in order, also to a reader who is slower than the network', async () => {
    const sent = Buffer.from(Array.from({ length: 4 << 20 }, (_, i) => i * 31 + (i >> 8)));
    const came = await upload(
      (outgoing) => outgoing.end(sent),
      async (incoming) => {
        const parts: Uint8Array[] = [];
        for await (const bytes of bytesOf(incoming)) {
          parts.push(bytes);
          await new Promise((done) => setImmediate(done));
        }
        return Buffer.concat(parts);
      },
    );
    expect(came.equals(sent)).toBe(true);
  });

  test('an empty body has none', async () => {
    const came = await upload(
      (outgoing) => outgoing.end(),
      async (incoming) => {
        for await (const _ of bytesOf(incoming)) return 'bytes';
        return 'none';
      },
    );
    expect(came).toBe('none');
  });

  test('a client who goes away in the middle is no end of the body', async () => {
    const reading = upload(
      (outgoing) => {
        outgoing.setHeader('Content-Length', 1000);
        outgoing.write('the first half', () => setImmediate(() => outgoing.destroy()));
      },
      async (incoming) => {
        for await (const _ of bytesOf(incoming));
      },
    );
    await expect(reading).rejects.toThrowWithCode('interrupted');
  });
});
