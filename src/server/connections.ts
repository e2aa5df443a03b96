/**
 * The open connections of a server, and how they end when it is told to stop: those without a
 * request at once, the others with their answer. Node's own `closeIdleConnections` leaves
 * connections that have sent nothing yet, and those that become idle a moment later.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Requests of one connection that have begun and are not answered. Answers go out in the order of
 * their requests: whoever asks without end behind one that is read slowly would take all places
 * of the server by one connection.
 */
export const MAX_PIPELINED = 16;

export class Connections {
  readonly #server: Server;
  /** Requests under way on each. */
  readonly #requests = new Map<Socket, number>();
  #leaving = false;
  #draining = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.once('close', () => this.#requests.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      if (this.#leaving) response.shouldKeepAlive = false;
      this.#count(socket, 1);
      if (this.#requests.get(socket)! > MAX_PIPELINED) socket.destroy();
      response.once('close', () => {
        this.#count(socket, -1);
        if (this.#draining && this.#requests.get(socket) === 0) socket.destroySoon();
      });
    });
  }

  /**
   * Goes on taking requests, but each connection ends with its next answer: whoever keeps
   * connections (a load balancer) loses none of them in the middle of a request.
   */
  leave(): void {
    this.#leaving = true;
  }

  /** Takes no new connections, lets the running requests finish for at most `deadline` ms, then cuts them. */
  async drain(deadline: number): Promise<void> {
    this.leave();
    this.#draining = true;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const [socket, requests] of this.#requests) {
      if (requests === 0) socket.destroy();
    }
    const cut = setTimeout(() => this.#server.closeAllConnections(), deadline);
    await closed;
    clearTimeout(cut);
  }

  #count(socket: Socket, change: 1 | -1): void {
    const before = this.#requests.get(socket);
    if (before !== undefined) this.#requests.set(socket, before + change);
  }
}
