/** The program of a download thread: some connections, each busy with one stretch at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { CodedError } from '../../core/error.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { RangeConnection } from './connection.ts';
import type { FetchCall, FetchFailure, FetchReport, ThreadData } from './protocol.ts';
import { bytesOf } from './stretch.ts';

const received = new BigInt64Array((workerData as ThreadData).received);
const connections = new Map<number, RangeConnection>();

parentPort!.on('message', (call: FetchCall) => void fetchStretch(call));

async function fetchStretch({ id, connection, request }: FetchCall): Promise<void> {
  const { url, token, location, size, chunkSize, run } = request;
  const writer = new ChunkWriter(request, (chunk, fits) => report({ id, chunk, fits }));
  const range = bytesOf(run, size, chunkSize);
  try {
    const wanted = { url, token, location, range, size };
    const from = await connectionOf(connection).read(wanted, (bytes) => {
      writer.take(bytes);
      Atomics.add(received, 0, BigInt(bytes.length));
    });
    report({ id, done: true, location: from });
  } catch (error) {
    report({ id, done: false, failure: failureOf(error) });
  }
}

function connectionOf(number: number): RangeConnection {
  const known = connections.get(number);
  if (known !== undefined) return known;
  const made = new RangeConnection();
  connections.set(number, made);
  return made;
}

function report(message: FetchReport): void {
  parentPort!.postMessage(message);
}

function failureOf(error: unknown): FetchFailure {
  if (error instanceof CodedError) {
    const { code, message, details } = error;
    return { code, message, details };
  }
  const reason = (error as NodeJS.ErrnoException).code;
  if (reason === 'ENOSPC' || reason === 'EDQUOT') {
    return {
      code: 'disk-full',
      message: 'the disk is full; make room and run it again',
      details: {},
    };
  }
  const message = `the download cannot be written: ${error instanceof Error ? error.message : error}`;
  return { code: 'storage', message, details: {} };
}
