/** The command line's entry: from arguments to an exit status. */
import { type Command, CommanderError } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Run, Story } from './command.ts';
import { type SharedFlags, withFlags } from './context.ts';
import { statusOf } from './exit.ts';
import { createOutput } from './output.ts';
import { makeProgram } from './program.ts';
import { processWorld, type World } from './world.ts';

/** A story, once its command has seen to it that it gets its own flags and arguments. */
type AnyStory = Story<SharedFlags, readonly unknown[]>;

/** Runs `weighhouse` with `argv`, which does not name the program; resolves to the exit status. */
export async function main(
  argv: readonly string[],
  world: World = processWorld(),
): Promise<number> {
  let status = 0;
  const run: Run =
    (story) =>
    async (...given) => {
      // Commander appends the options and the command to the arguments.
      const flags = (given.at(-1) as Command).optsWithGlobals<SharedFlags>();
      const config = withFlags(readConfig(world.env), flags);
      const output = createOutput({ json: flags.json === true, noColor: config.noColor, ...world });
      const context = { config, output, world, signal: world.signal, clock: Date.now };
      const ended = (story as AnyStory)(context, flags, ...given.slice(0, -2));
      status = (await ended) ?? 0;
    };
  try {
    const program = await makeProgram(argv, world, run);
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    return fail(error, argv, world);
  }
}

function fail(error: unknown, argv: readonly string[], world: World): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const coded = codedOf(error, world.signal);
  const config = readableConfig(world);
  const noColor = config?.noColor ?? true;
  const output = createOutput({ json: wantsJson(argv), noColor, ...world });
  output.failure(coded);
  if (config?.debug === true) {
    for (const line of String((error as Error).stack).split('\n')) output.say(line);
  }
  return statusOf(coded.code);
}

/** The config file may be what failed. */
function readableConfig(world: World): Config | undefined {
  try {
    return readConfig(world.env);
  } catch {
    return undefined;
  }
}

/** Every failure as a coded one, whatever was thrown. */
function codedOf(error: unknown, signal: AbortSignal): CodedError {
  // Whatever broke because it was stopped: the person knows why.
  if (signal.aborted) {
    const resumable = 'stopped; the same command goes on from here';
    return isCoded(error, 'interrupted') ? error : new CodedError('interrupted', resumable);
  }
  if (error instanceof CodedError) return error;
  if (error instanceof CommanderError) return new CodedError('usage', usageMessage(error));
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CodedError('disk-full', `the disk is full: ${message}`, {}, { cause: error });
  }
  return new CodedError('internal', `unexpected: ${message}`, {}, { cause: error });
}

/** Commander says "error: …", and a suggestion in a line of its own. */
function usageMessage({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'name a command; "weighhouse --help" lists them';
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}

/** Asked before the arguments are understood, or when they cannot be. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}
