/**
 * `open REF`: the page of a release in the browser, or its address where there is none. A page
 * is public: a draft has none, and whoever may see it is told how.
 */
import type { Command } from 'commander';
import type { Api } from '../../client/api.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import {
  formatModel,
  formatReference,
  parseReference,
  parseReleaseName,
  type Reference,
} from '../../core/release/name.ts';
import { releasePageOf } from '../../server/pages/addresses.ts';
import { isShown } from '../browser.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApi } from '../reach.ts';
import { whichOf } from '../which.ts';

export function makeCommand(run: Run): Command {
  return declare('open', 'open acme/kimi-k2@v1.0')
    .argument('<ref>', 'namespace/name, …@version or …@sha256:digest')
    .option('--print', 'only say the address')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(open));
}

interface OpenFlags extends SharedFlags {
  readonly print?: boolean;
}

async function open(context: Context, flags: OpenFlags, text: string): Promise<void> {
  const { config, output, signal } = context;
  const reference = parseReference(text);
  const api = await openApi(context);
  const release = await publishedName(api, reference, api.http.token, signal);
  const url = `${api.http.url}${releasePageOf(release)}`;
  const isOpened = flags.print !== true && (await isShown(config, url));
  output.result({ url, opened: isOpened }, [url]);
}

/** The name of the published release. Throws `not-found`, for a draft with what shows it. */
async function publishedName(
  api: Api,
  reference: Reference,
  token: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const at = await whichOf(api, reference, signal);
  try {
    return (await api.release(reference, at, { signal })).reference;
  } catch (error) {
    const isVersion = reference.at !== undefined && 'version' in reference.at;
    if (!isCoded(error, 'not-found') || !isVersion) throw error;
    const draft = parseReleaseName(`${formatModel(reference)}@${at}`);
    const status = token && (await api.draftStatus(draft, { signal }).catch(() => undefined));
    if (!status) throw error;
    const name = formatReference(reference);
    throw new CodedError(
      'not-found',
      `${name} is a draft (${status.state}) and has no page before it is published; "weighhouse status ${name}" shows what it lacks`,
    );
  }
}
