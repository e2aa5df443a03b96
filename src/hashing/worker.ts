/** The thread that hashes: answers one request after another, until it is ended. */
import { parentPort, type Transferable } from 'node:worker_threads';
import { hashBundle } from '../core/audit/hashed-bundle.ts';
import { isCoded } from '../core/error.ts';
import { Digester } from './digester.ts';
import { nodeHost } from './host.ts';
import type { Answers, Call, Failure, Reply, Request, StreamBlock } from './protocol.ts';
import { checkSignatures } from './signatures.ts';
import { hashStretch } from './stretch.ts';

const port = parentPort!;
const streams = new Map<number, Digester>();

port.on('message', ({ id, request }: Call) => {
  try {
    const answer = answerTo(request);
    send({ id, answer }, answer instanceof ArrayBuffer ? [answer] : []);
  } catch (error) {
    send({ id, failure: describe(error) });
  }
});

function send(reply: Reply, transfer: Transferable[] = []): void {
  port.postMessage(reply, transfer);
}

function answerTo(request: Request): Answers[keyof Answers] {
  switch (request.kind) {
    case 'stretch':
      return hashStretch(request);
    case 'stream-open':
      streams.set(request.stream, new Digester(request.wanted));
      return undefined;
    case 'stream-block':
      return takeBlock(request);
    case 'stream-finish':
      return close(request.stream).finish();
    case 'stream-drop':
      close(request.stream);
      return undefined;
    case 'bundle':
      return hashBundle(nodeHost, request.bundle, request.width);
    case 'signatures':
      return checkSignatures(request.checks);
  }
}

function takeBlock({ stream, memory, length, offset }: StreamBlock): ArrayBuffer {
  streams.get(stream)!.update(new Uint8Array(memory, 0, length), offset);
  return memory;
}

function close(stream: number): Digester {
  const digester = streams.get(stream)!;
  streams.delete(stream);
  return digester;
}

function describe(error: unknown): Failure {
  if (isCoded(error)) return { code: error.code, message: error.message, details: error.details };
  const message = `a hashing thread failed: ${error instanceof Error ? error.message : error}`;
  return { code: 'internal', message, details: {} };
}
