/** `logout`: forgets the token that `login` got. */
import type { Command } from 'commander';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { forgetToken } from '../kept-tokens.ts';
import { openApi } from '../reach.ts';

export function makeCommand(run: Run): Command {
  return declare('logout', 'logout').addOption(urlFlag()).action(run(logout));
}

async function logout(context: Context): Promise<void> {
  const { url } = (await openApi(context)).http;
  const forgotten = await forgetToken(context, url);
  context.output.result({ url, forgotten }, [
    forgotten ? `forgot the token of ${url}` : `no token of ${url} is kept here`,
  ]);
}
