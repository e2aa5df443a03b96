/**
 * What a command has of the world around it: arguments aside, its environment, its three
 * streams, and the person's wish to stop. Tests give another one and run commands in their
 * own process.
 */
import type { Readable, Writable } from 'node:stream';
import { STATUS } from './exit.ts';

/** A stream that may be a terminal. */
export type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface World {
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  /** Aborted by Ctrl-C, or when the system asks the process to end. */
  readonly signal: AbortSignal;
}

/** The process itself. Ctrl-C asks the command to stop where it can go on later; twice ends it at once. */
export function processWorld(): World {
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) process.exit(STATUS.interrupted);
    stopping.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Whoever read the output has gone (`weighhouse … | head`). Not a success: nobody saw the result.
  process.stdout.on('error', () => process.exit(STATUS.internal));
  const { stdin, stdout, stderr } = process;
  return { env: undefined, stdin, stdout, stderr, signal: stopping.signal };
}

/** Can a person be asked? */
export function isInteractive({ stdin, stderr }: World): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
