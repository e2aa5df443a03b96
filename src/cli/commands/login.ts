/** `login --web`: signs the holder of a token in to the registry's pages, in a browser. */
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApiWithToken } from '../reach.ts';

export function makeCommand(run: Run): Command {
  return declare('login', 'login --web')
    .option('--web', 'print a link that signs you in to the pages, once, within a minute')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(login));
}

interface LoginFlags extends SharedFlags {
  readonly web?: true;
}

async function login(context: Context, { web }: LoginFlags): Promise<void> {
  if (web === undefined) {
    throw new CodedError(
      'usage',
      'commands take a token with --token or WEIGHHOUSE_TOKEN; "weighhouse login --web" signs in to the pages with it',
    );
  }
  const api = await openApiWithToken(context);
  const link = await api.makeSignInLink({ signal: context.signal });
  context.output.say('Open this in your browser within a minute; it signs you in once:');
  context.output.result(link, [link.url]);
}
