/**
 * `publish REF`: the irreversible step. Whoever publishes names what: by typing the reference
 * on a terminal, after being shown what is sealed, or by `--digest` anywhere else. Doing it
 * twice gives the same log index.
 */
import type { Command } from 'commander';
import type { Api } from '../../client/api.ts';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { ask } from '../prompt.ts';
import { openApiWithToken } from '../reach.ts';
import { formatFields } from '../table.ts';
import { isInteractive } from '../world.ts';

export function makeCommand(run: Run): Command {
  return declare('publish', 'publish acme/kimi-k2@v1.0 --digest sha256:9f86d0…')
    .argument('<ref>', 'namespace/name@version')
    .option('--digest <digest>', 'digest of what is sealed; needed when nobody can be asked')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(publish));
}

interface PublishFlags extends SharedFlags {
  readonly digest?: string;
}

async function publish(context: Context, flags: PublishFlags, reference: string): Promise<void> {
  const { output, signal } = context;
  const release = parseReleaseName(reference);
  const named = flags.digest === undefined ? undefined : parseDigest(flags.digest, '--digest');
  const api = await openApiWithToken(context);
  const digest = named ?? (await confirm(context, api, release));
  const published = await api.publish(release, digest, { signal });
  const base = `${api.http.url}`;
  const { namespace, name, version } = release;
  const page = `${base}/${namespace}/${name}`;
  const proof = `${base}/api/v1/releases/${namespace}/${name}/${version}/release.tlog-proof`;
  output.result({ ...published, page, proof }, [
    `published ${published.reference}`,
    ...formatFields([
      ['digest', published.digest],
      ['log index', String(published.index)],
      ['page', page],
      ['proof', proof],
    ]),
  ]);
  if (!published.published) {
    output.warn('logged, awaiting witnesses: nobody can download it before they have signed');
  }
}

/** Shows what is sealed, and has the reference typed. Throws `gate-unmet` when nobody can be asked. */
async function confirm(context: Context, api: Api, release: ReleaseName): Promise<Digest> {
  const { output, world, signal } = context;
  const name = formatReleaseName(release);
  if (!isInteractive(world)) {
    throw new CodedError(
      'usage',
      `name what is to be published: --digest sha256:… of what is sealed ("weighhouse status ${name}" shows it)`,
    );
  }
  const { state, digest } = await api.draftStatus(release, { signal });
  if (digest === undefined) {
    throw new CodedError('gate-unmet', `${name} is not sealed but ${state}; seal it first`);
  }
  output.say(`${name} is sealed as ${digest}.`);
  output.say('Publishing it cannot be undone: it will be in the public log for ever.');
  const typed = await ask(world, 'Type the reference to publish it: ');
  if (typed.trim() === name) return digest;
  throw new CodedError('interrupted', `that is not ${name}; nothing was published`);
}
