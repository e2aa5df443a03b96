/** `token exchange`: in a CI job, turns what the CI system says of the job into a token that pushes. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { parseNamespace } from '../../core/release/name.ts';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApi } from '../reach.ts';

export function exchangeCommand(run: Run): Command {
  return declare('exchange', 'token exchange --namespace acme --oidc-token-file ./id-token')
    .description('in a CI job: exchange its identity for a token that pushes and seals')
    .requiredOption('--namespace <ns>', 'the namespace to push to')
    .option('--oidc-token-file <file>', 'the job’s identity token (or WEIGHHOUSE_OIDC_TOKEN)')
    .addOption(urlFlag())
    .action(run(exchangeToken));
}

interface ExchangeFlags extends SharedFlags {
  readonly namespace: string;
  readonly oidcTokenFile?: string;
}

async function exchangeToken(context: Context, flags: ExchangeFlags): Promise<void> {
  const namespace = parseNamespace(flags.namespace);
  const identityToken = await readIdentity(context, flags.oidcTokenFile);
  const api = await openApi(context);
  const { signal, output, clock } = context;
  const issued = await api.exchangeToken(namespace, identityToken, { signal });
  const expires = new Date(clock() + issued.expires_in * 1000).toISOString();
  output.result({ token: issued.access_token, namespace, expires }, [issued.access_token]);
}

async function readIdentity({ config }: Context, file: string | undefined): Promise<string> {
  const text = file === undefined ? config.identityToken : await readText(file);
  if (text !== undefined && text.trim() !== '') return text.trim();
  throw new CodedError(
    'usage',
    'who is this job? give its identity token with --oidc-token-file or WEIGHHOUSE_OIDC_TOKEN',
  );
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('usage', `the identity token ${path} cannot be read (${error.code})`);
  });
}
