/**
 * The HTTP server around the application: time-outs against slow and idle clients, and a
 * shutdown that finishes what was begun.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError } from '../core/error.ts';
import { Connections } from './connections.ts';
import { cutSlowReaders, cutSlowUploads, type Pace } from './pace.ts';

/** How long a client may take, and how much it may take up. */
export interface ListenLimits {
  /** Milliseconds for a client to send all of a request's headers. */
  readonly headersTimeout: number;
  /** Milliseconds that a kept connection may idle. */
  readonly keepAliveTimeout: number;
  /** Milliseconds without a byte in either direction after which a connection is cut. */
  readonly idleTimeout: number;
  /** Connections at once. */
  readonly maxConnections: number;
  /** The least that must come of a request's body: `bytes` in every `milliseconds`. */
  readonly upload: Pace;
  /** The least that a reader must take of an answer that waits for it. */
  readonly download: Pace;
}

export const LISTEN_LIMITS: ListenLimits = {
  headersTimeout: 20_000,
  // Above the 60 s of common load balancers, so that it is they who close.
  keepAliveTimeout: 65_000,
  idleTimeout: 120_000,
  maxConnections: 4_096,
  // A modem's pace: 1 KiB a second.
  upload: { bytes: 60 * 1_024, milliseconds: 60_000 },
  download: { bytes: 60 * 1_024, milliseconds: 60_000 },
};

/** Bytes of a request's headers. */
export const MAX_HEADER_SIZE = 16_384;
/** Milliseconds between two looks for clients that are too slow. */
const MAX_CHECKING_INTERVAL = 5_000;
/** Bytes written to a socket before its file is read on. */
const HIGH_WATER_MARK = 2 ** 20;

export interface Listening {
  /** `http://host:port` as it was bound. */
  readonly url: string;
  /** Goes on taking requests, but ends each connection with its next answer. */
  leave(): void;
  /** Takes no new requests, lets the running ones finish for at most `deadline` ms, then cuts them. */
  close(deadline: number): Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Binds, and serves the application that `makeApp` makes for the address that was bound.
 * Throws `network` when the address cannot be had.
 */
export async function listen(
  makeApp: (url: string) => RequestListener,
  address: Address,
  changes: Partial<ListenLimits> = {},
): Promise<Listening> {
  const limits = { ...LISTEN_LIMITS, ...changes };
  const server = createServer({
    maxHeaderSize: MAX_HEADER_SIZE,
    headersTimeout: limits.headersTimeout,
    // A part of a gigabyte over a slow line takes long; idleness is what ends an upload.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: Math.min(MAX_CHECKING_INTERVAL, limits.headersTimeout),
    highWaterMark: HIGH_WATER_MARK,
    noDelay: true,
  });
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.idleTimeout;
  const url = await bind(server, address);
  const connections = new Connections(server);
  server.on('request', cutSlowUploads(limits.upload));
  server.on('request', cutSlowReaders(limits.download));
  server.on('request', makeApp(url));
  return {
    url,
    leave: () => connections.leave(),
    close: (deadline) => connections.drain(deadline),
  };
}

function bind(server: Server, { host, port }: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new CodedError('network', `cannot listen on ${host}:${port}: ${error.message}`));
    });
    server.listen(port, host, () => {
      const bound = server.address() as AddressInfo;
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
      resolve(`http://${name}:${bound.port}`);
    });
  });
}
