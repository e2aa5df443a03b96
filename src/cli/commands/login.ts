/**
 * `login`: a token for this machine, which a person lets in from a browser where they are signed in
 * (RFC 8628). It is kept, and every command that takes a token takes that one where no other is given.
 *
 * `login --web` goes the other way: it signs the holder of a token in to the registry's pages.
 */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { awaitLogin } from '../../client/device-login.ts';
import { CodedError } from '../../core/error.ts';
import { isShown } from '../browser.ts';
import { collect, declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { keepToken } from '../kept-tokens.ts';
import { plainText } from '../output.ts';
import { openApi, openApiWithToken } from '../reach.ts';

/** Characters of a machine's name that are told. */
const MAX_NAME = 64;

export function makeCommand(run: Run): Command {
  return declare('login', 'login')
    .option('--role <role>', 'ask for this of your roles alone; may be repeated', collect)
    .option('--no-browser', 'only say the address')
    .option('--web', 'print a link that signs you in to the pages, once, within a minute')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(login));
}

interface LoginFlags extends SharedFlags {
  readonly role?: readonly string[];
  readonly browser: boolean;
  readonly web?: true;
}

async function login(context: Context, flags: LoginFlags): Promise<void> {
  if (flags.web) return signInToPages(context);
  if (context.config.token !== undefined) {
    throw new CodedError(
      'usage',
      'a token is given already (--token, WEIGHHOUSE_TOKEN or the config file), and commands take that one; "weighhouse login --web" signs in to the pages with it',
    );
  }
  const { output, config, clock, signal } = context;
  const api = await openApi(context);
  const asked = { machine: machineName(), ...(flags.role && { roles: flags.role }) };
  const codes = await api.beginDeviceLogin(asked, { signal });
  const { user_code: code, verification_uri: page, verification_uri_complete: whole } = codes;
  output.say(`Open ${page} where you are signed in, and type this code: ${code}`);
  if (flags.browser) await isShown(config, whole ?? page);
  const { token, seconds } = await awaitLogin(api, codes, clock, signal);
  const expires = new Date(clock() + seconds * 1000).toISOString();
  const { url } = api.http;
  const file = await keepToken(context, url, { token, expires });
  output.result({ url, expires, file }, [`logged in to ${url} until ${expires}; kept in ${file}`]);
}

async function signInToPages(context: Context): Promise<void> {
  const api = await openApiWithToken(context);
  const link = await api.makeSignInLink({ signal: context.signal });
  context.output.say('Open this in your browser within a minute; it signs you in once:');
  context.output.result(link, [link.url]);
}

/** For the person to recognise it by. */
function machineName(): string {
  return plainText(hostname()).slice(0, MAX_NAME) || 'a machine without a name';
}
