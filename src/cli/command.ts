/**
 * What all commands have in common: how one is declared, and how it is run. A command's
 * file declares its arguments and tells its story; everything between them is here.
 */
import { Command, Option } from 'commander';
import type { Context, SharedFlags } from './context.ts';

/**
 * What a command does. The number that it returns is the exit status; none means done, and
 * a failure is thrown.
 */
export type Story<Flags extends SharedFlags, Args extends readonly unknown[]> = (
  context: Context,
  flags: Flags,
  ...args: Args
) => Promise<number | undefined> | Promise<void>;

/** Makes commander's action out of a story. */
export type Run = <Flags extends SharedFlags, Args extends readonly unknown[]>(
  story: Story<Flags, Args>,
) => (...given: unknown[]) => Promise<void>;

/** What the file of a command exports. */
export type MakeCommand = (run: Run) => Command;

/** Begins the declaration of a command, with an example for its help. */
export function declare(name: string, example: string): Command {
  return new Command(name)
    .option('--json', 'answer with one JSON document on standard output')
    .helpOption('-h, --help', 'show this')
    .addHelpText('after', `\nExample:\n  $ weighhouse ${example}`);
}

/** Begins the declaration of a command that is only the first word of others, with an example of one. */
export function declareGroup(name: string, example: string): Command {
  return new Command(name)
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .addHelpText('after', `\nExample:\n  $ weighhouse ${example}`);
}

/** `--url`: which registry. */
export const urlFlag = () => new Option('--url <url>', 'the registry (WEIGHHOUSE_URL)');
/** `--token`: the bearer token. */
export const tokenFlag = () => new Option('--token <token>', 'bearer token (WEIGHHOUSE_TOKEN)');
/** `--key`: a personal key. */
export const keyFlag = () => new Option('--key <file>', 'personal key file (WEIGHHOUSE_KEY)');
/** `--passphrase-file`: opens encrypted key files. */
export const passphraseFlag = () =>
  new Option('--passphrase-file <file>', 'passphrase of key files (or WEIGHHOUSE_PASSPHRASE)');
/** `--include`, `--exclude`: which files of a model. */
export const includeFlag = () =>
  new Option('--include <glob>', 'only these files; may be repeated').argParser(collect);
export const excludeFlag = () =>
  new Option('--exclude <glob>', 'not these files; may be repeated').argParser(collect);

/** Gathers an option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
