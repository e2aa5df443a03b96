/**
 * The program as commander knows it: every command by name, but only the one that is asked
 * for is loaded, so that `weighhouse --help` need not read the server.
 */
import { Command } from 'commander';
import { readVersion } from '../server/version.ts';
import type { Run } from './command.ts';
import { COMMANDS, type CommandRow } from './commands.ts';
import type { World } from './world.ts';

const ABOUT = `A registry for model weights: it checks every byte, signs what it checked, and records each
release in a public log that can only grow.`;

const FOOTER = `
WEIGHHOUSE_URL, WEIGHHOUSE_TOKEN, WEIGHHOUSE_KEY and WEIGHHOUSE_PASSPHRASE stand in for flags.
"weighhouse COMMAND --help" explains a command and gives an example.`;

/** Declares everything, and loads the commands that `argv` names. */
export async function makeProgram(
  argv: readonly string[],
  world: World,
  run: Run,
): Promise<Command> {
  const program = new Command('weighhouse')
    .description(ABOUT)
    .version(readVersion(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this')
    .commandsGroup('Help:')
    .helpCommand('help [command]', 'explain a command')
    .option('--json', 'answer with one JSON document on standard output')
    .option('--url <url>', 'the registry')
    .option('--token <token>', 'bearer token')
    .option('--key <file>', 'personal key file')
    .addHelpText('after', FOOTER)
    .enablePositionalOptions();
  for (const row of COMMANDS) program.addCommand(await declareRow(row, argv, run));
  for (const command of withSubcommands(program)) redirect(command, world);
  return program;
}

/** A command that `argv` does not name is only there to be listed. */
async function declareRow(row: CommandRow, argv: readonly string[], run: Run): Promise<Command> {
  const command = argv.includes(row.name)
    ? (await row.load()).makeCommand(run)
    : new Command(row.name);
  return command.description(row.summary).helpGroup(`${row.group}:`);
}

/** What commander would print or end goes through our own hands. */
function redirect(command: Command, { stdout, stderr }: World): void {
  command.exitOverride().showSuggestionAfterError();
  command.configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    // The one sentence is `failure`'s to say.
    outputError: () => {},
    getOutHelpWidth: () => stdout.columns ?? 100,
    getErrHelpWidth: () => stderr.columns ?? 100,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
