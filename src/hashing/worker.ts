/** The thread that hashes: answers one request after another, until it is ended. */
import { hashBundle } from '../core/audit/hashed-bundle.ts';
import { answerCalls } from './calls.ts';
import { Digester } from './digester.ts';
import { nodeHost } from './host.ts';
import { type Answers, NAME, type Request, type StreamBlock } from './protocol.ts';
import { checkSignatures } from './signatures.ts';
import { hashStretch } from './stretch.ts';

const streams = new Map<number, Digester>();

answerCalls<Request, Answers>(NAME, answerTo);

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
