/**
 * One keep-alive connection to one server, for one range after the other. The socket fills one
 * buffer again and again (`onread`), and whoever takes the bytes is done with them when it
 * returns, so that nothing is copied between the kernel and the file. Hashing and writing
 * included, that is about a third of the processor time that `fetch` takes for the same bytes.
 */
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { CodedError } from '../../core/error.ts';
import { contentLength, HeadReader, keepsAlive, type ResponseHead } from './response-head.ts';

/** Bytes read at once: as many as stay in the second-level cache while they are hashed and written. */
const READ_BYTES = 256 * 1024;
/** Milliseconds without a byte after which a server counts as gone. */
const IDLE_MILLISECONDS = 30_000;
/** Bytes of a body that nobody wants that are read so that the connection can be kept. */
const MAX_UNWANTED_BODY = 64 * 1024;
/** Answers of 1xx that are let by before the answer itself. */
const MAX_INTERIM = 8;

/** What is sent, and who takes the answer. */
export interface Exchange {
  /** The head of the request, with the empty line. */
  readonly head: string;
  /** Looks at the head of the answer: is its body wanted? What it throws ends the connection. */
  readonly judge: (head: ResponseHead) => boolean;
  readonly take: (bytes: Uint8Array) => void;
  /** Gets the body of an answer that is not wanted, where it is small. */
  readonly takeRefusal?: (bytes: Uint8Array) => void;
}

interface Running extends Exchange {
  readonly reader: HeadReader;
  readonly resolve: (head: ResponseHead) => void;
  readonly reject: (error: unknown) => void;
  /** Answers of 1xx so far. */
  interim: number;
  answer: { left: number; readonly isWanted: boolean; readonly head: ResponseHead } | undefined;
}

export class Channel {
  readonly origin: string;
  readonly #url: URL;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #socket: Socket | undefined;
  #running: Running | undefined;

  /** Connects when there is something to ask. */
  constructor(url: URL) {
    this.#url = url;
    this.origin = url.origin;
  }

  /** Resolves to the answer's head once its body has been taken. Throws `network`. */
  exchange(asked: Exchange): Promise<ResponseHead> {
    return new Promise((resolve, reject) => {
      const reader = new HeadReader();
      this.#running = { ...asked, reader, resolve, reject, interim: 0, answer: undefined };
      this.#connected().write(asked.head);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connected(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = this.#connect();
    this.#socket = socket;
    const current = (act: () => void) => () => {
      if (this.#socket === socket) act();
    };
    socket.setNoDelay(true);
    socket.setTimeout(
      IDLE_MILLISECONDS,
      current(() => this.#fail('nothing came for too long')),
    );
    socket.on('error', (error: NodeJS.ErrnoException) =>
      current(() => this.#fail(error.code ?? error.message))(),
    );
    socket.on(
      'close',
      current(() => this.#fail('the connection was closed')),
    );
    return socket;
  }

  #connect(): Socket {
    const url = this.#url;
    const callback = (length: number) => {
      this.#receive(this.#buffer.subarray(0, length));
      return true;
    };
    // Brackets are the URL's way of writing an IPv6 address, not the socket's.
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const onread = { buffer: this.#buffer, callback };
    if (url.protocol === 'http:') return connect({ host, port: Number(url.port || 80), onread });
    const port = Number(url.port || 443);
    const name = isIP(host) === 0 ? { servername: host } : {};
    // Node's own types leave out that a TLS socket takes `onread` too.
    const options = { host, port, ...name, ALPNProtocols: ['http/1.1'], onread };
    return connectTls(options as ConnectionOptions);
  }

  #receive(bytes: Uint8Array): void {
    try {
      const running = this.#running;
      // Bytes that nobody asked for: whatever comes next on this connection cannot be trusted.
      if (running === undefined) throw unusable(this.origin, 'it sends more than was asked for');
      const rest = running.answer === undefined ? this.#takeHead(running, bytes) : bytes;
      if (running.answer !== undefined && rest !== undefined) this.#takeBody(running, rest);
    } catch (error) {
      this.close();
      this.#end(({ reject }) => reject(error));
    }
  }

  /** The bytes behind the head; undefined while it is not complete. */
  #takeHead(running: Running, bytes: Uint8Array): Uint8Array | undefined {
    const found = running.reader.take(bytes);
    if (found === undefined) return undefined;
    const { head, bodyAt } = found;
    const rest = bytes.subarray(bodyAt);
    if (head.status < 200) {
      // 100 Continue and its like come before the answer itself.
      if (++running.interim > MAX_INTERIM) {
        throw unusable(this.origin, 'it never comes to the answer itself');
      }
      return this.#takeHead(running, rest);
    }
    const isWanted = running.judge(head);
    const left = isWanted ? contentLength(head) : unwantedLength(head);
    running.answer = { left: left ?? 0, isWanted, head };
    if (left !== undefined) return rest;
    // Not worth reading, perhaps endless: the connection is given up instead.
    this.close();
    return rest.subarray(0, 0);
  }

  #takeBody(running: Running, bytes: Uint8Array): void {
    const answer = running.answer!;
    if (bytes.length > answer.left) throw unusable(this.origin, 'it sends more bytes than it said');
    answer.left -= bytes.length;
    const take = answer.isWanted ? running.take : running.takeRefusal;
    if (bytes.length > 0) take?.(bytes);
    if (answer.left > 0) return;
    if (!keepsAlive(answer.head)) this.close();
    this.#end(({ resolve }) => resolve(answer.head));
  }

  #fail(reason: string): void {
    this.close();
    const message = `the download from ${this.origin} broke off (${reason}); check the network`;
    const details = { url: this.origin, transient: true };
    this.#end(({ reject }) => reject(new CodedError('network', message, details)));
  }

  #end(settle: (running: Running) => void): void {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) settle(running);
  }
}

/** Bytes of a body that is read only to keep the connection; undefined when it is not worth that. */
function unwantedLength(head: ResponseHead): number | undefined {
  if (!head.headers.has('content-length') || head.headers.has('transfer-encoding'))
    return undefined;
  const length = contentLength(head);
  return length <= MAX_UNWANTED_BODY ? length : undefined;
}

/** What an answer is refused with that cannot be read, or trusted. */
export function unusable(place: string, why: string): CodedError {
  return new CodedError('network', `the answer of ${place} cannot be used: ${why}`, {
    url: place,
    transient: true,
  });
}
