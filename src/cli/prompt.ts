/** Questions to the person at the terminal. Asked on standard error, so that output stays clean. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CodedError } from '../core/error.ts';
import type { World } from './world.ts';

/** One line from the person, without the newline. Throws `interrupted` on Ctrl-C or Ctrl-D. */
export function ask(world: World, question: string): Promise<string> {
  return readAnswer(world, question, world.stderr);
}

/** As `ask`; what is typed is not shown. */
export async function askHidden(world: World, question: string): Promise<string> {
  // Readline echoes what is typed by writing it: here into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await readAnswer(world, question, nowhere);
  } finally {
    world.stderr.write('\n');
  }
}

function readAnswer(world: World, question: string, echo: Writable): Promise<string> {
  const { stdin, stderr, signal } = world;
  return new Promise((resolve, reject) => {
    const reader = createInterface({ input: stdin, output: echo, terminal: stdin.isTTY === true });
    // Only now: from here on the terminal itself does not show what is typed any more.
    stderr.write(question);
    const stop = () => reader.close();
    let answered = false;
    reader.once('line', (line) => {
      answered = true;
      resolve(line);
      reader.close();
    });
    reader.once('close', () => {
      signal.removeEventListener('abort', stop);
      if (!answered) reject(new CodedError('interrupted', 'stopped; nothing was done'));
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}
