/** A TCP proxy on loopback that counts what passes, listens to it, and can cut it. */
import { connect, createServer, type Socket } from 'node:net';

export interface CountingProxy {
  readonly port: number;
  /** Bytes from clients to the server, and back. */
  readonly up: number;
  readonly down: number;
  /** Has anything that clients sent had this text in it, in one piece? */
  heard(text: string): boolean;
  /** Told of each piece that a client sends, before it is passed on. */
  onUp: (bytes: Buffer, client: Socket) => void;
  /** Ends every connection, so that the next one is to whoever is the target then. */
  drop(): void;
  close(): Promise<void>;
}

/** Stands before the server that `target` names by the time somebody comes. */
export async function countingProxy(target: () => string): Promise<CountingProxy> {
  const sockets = new Set<Socket>();
  const heads: string[] = [];
  const proxy = { up: 0, down: 0, onUp: (_bytes: Buffer, _client: Socket) => {} };
  const server = createServer((client) => {
    const { hostname, port } = new URL(target());
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      proxy.up += bytes.length;
      // Requests begin with letters; of bodies only the beginning of a piece is kept.
      heads.push(bytes.toString('latin1', 0, 4_096));
      proxy.onUp(bytes, client);
      if (!upstream.write(bytes)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.on('data', (bytes: Buffer) => {
      proxy.down += bytes.length;
      if (!client.write(bytes)) upstream.pause();
    });
    client.on('drain', () => upstream.resume());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return Object.assign(proxy, {
    port: (server.address() as { port: number }).port,
    heard: (text: string) => heads.some((head) => head.includes(text)),
    drop,
    async close() {
      drop();
      await new Promise((done) => server.close(done));
    },
  });
}
