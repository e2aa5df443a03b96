/** Slow loris, trickling bodies, too many connections, readers that never read. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { declared } from '../made/live-registry.ts';
import { openSocket, readToEnd, statusOf } from '../made/raw-http.ts';
import { draftPath, filePath, Served } from '../made/served.ts';

let served: Served;
afterEach(() => served.stop());

/** Sends one byte of `text` at a time until the connection ends; resolves to what came back. */
async function trickle(text: string, beginning: string, every: number): Promise<string> {
  const socket = await openSocket(served.port);
  const answer = readToEnd(socket);
  socket.write(beginning);
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length]!), every);
  const came = (await answer).toString('latin1');
  clearInterval(timer);
  return came;
}

describe('a client', () => {
  test('that sends its headers byte by byte is cut', async () => {
    served = await Served.start({ limits: { headersTimeout: 80 } });
    const answer = await trickle('x', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 10);
    expect([408, Number.NaN]).toContain(statusOf(answer));
  });

  test('that sends nothing any more is cut', async () => {
    served = await Served.start({ limits: { idleTimeout: 50 } });
    const socket = await openSocket(served.port);
    const answer = readToEnd(socket);
    socket.write('GET /');
    expect((await answer).toString()).not.toContain('200');
  });

  test('that sends its body at a trickle is cut, though it is never idle', async () => {
    const upload = { bytes: 1_000, milliseconds: 100 };
    served = await Served.start({ limits: { upload } });
    const answer = await trickle('[', partRequest(await beginUpload(), 2 ** 20), 5);
    expect(answer).not.toContain('HTTP/1.1 2');
  });

  test('that goes away in the middle of a part leaves no trace and no failure of the server', async () => {
    served = await Served.start();
    const upload = await beginUpload();
    const socket = await openSocket(served.port);
    socket.write(partRequest(upload, 2 ** 20));
    socket.write('half of it');
    await served.fetch('/livez');
    socket.destroy();
    await readToEnd(socket);
    const ticket = await served.api(`${draftPath('acme/tiny@v1')}/files`, {
      method: 'POST',
      json: declared('a.bin', new Uint8Array(2 ** 20)),
    });
    expect(ticket.parts).toEqual([]);
    expect(served.logged.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  test('over the number of connections is turned away, and the others are served', async () => {
    served = await Served.start({ limits: { maxConnections: 2 } });
    const [first, second] = [await openSocket(served.port), await openSocket(served.port)];
    const third = await openSocket(served.port);
    expect((await readToEnd(third)).length).toBe(0);
    const answer = readToEnd(first);
    first.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    expect(statusOf((await answer).toString())).toBe(200);
    second.destroy();
  });

  test('that reads nothing of a large file is cut, and holds no more than a few blocks', async () => {
    served = await Served.start();
    await served.publish('acme/tiny@v3', { 'a.bin': new Uint8Array(24 * 2 ** 20) });
    const socket = await openSocket(await served.openDoor({ idleTimeout: 300 }));
    socket.pause();
    const target = filePath('acme/tiny@v3', 'a.bin');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const before = process.memoryUsage().arrayBuffers;
    while (!served.logged.some((line) => line.includes('files/{*path}'))) await nextTurn();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
    expect(served.logged.find((line) => line.includes('files/{*path}'))).toContain(
      '"isWhole":false',
    );
    socket.destroy();
  });
});

describe('a refused upload', () => {
  test('is read on for a while, so that the client hears why, and then cut', async () => {
    served = await Served.start();
    const socket = await openSocket(served.port);
    const answer = readToEnd(socket);
    socket.write(
      `PUT /api/v1/drafts/acme/tiny/v1/uploads/x/parts/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${2 ** 30}\r\n\r\n`,
    );
    const megabyte = Buffer.alloc(2 ** 20);
    let sent = 0;
    while (!socket.destroyed && sent < 512) {
      sent++;
      if (!socket.write(megabyte))
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
    expect(statusOf((await answer).toString())).toBe(401);
    expect(sent).toBeLessThan(100);
  });
});

async function beginUpload(): Promise<string> {
  const draft = draftPath('acme/tiny@v1');
  await served.api(draft, { method: 'PUT' });
  const json = declared('a.bin', new Uint8Array(2 ** 20));
  return (await served.api(`${draft}/files`, { method: 'POST', json })).upload;
}

/** The head of a request that sends part 1. */
function partRequest(upload: string, length: number): string {
  return [
    `PUT /api/v1${draftPath('acme/tiny@v1')}/uploads/${upload}/parts/1 HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${served.publisher}`,
    `Content-Length: ${length}`,
    `Content-Digest: sha-256=:${'A'.repeat(43)}=:`,
    '\r\n',
  ].join('\r\n');
}

function once(socket: NodeJS.EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
