/**
 * `publish REF`: the irreversible step. Whoever publishes names what: by typing the reference
 * on a terminal, after being shown what is sealed, or by `--digest` anywhere else. Where the
 * policy is gated a release manager signs that they mean it, with `--key`, or where no network
 * reaches it: `--unsigned FILE` here, `decide --sign-offline FILE` there, `--submit FILE` here.
 * Doing it twice gives the same log index.
 */
import { type Command, Option } from 'commander';
import type { DraftStatus } from '../../client/answers.ts';
import type { Api } from '../../client/api.ts';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { declare, keyFlag, passphraseFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { ask } from '../prompt.ts';
import { INTENT_LASTS, type IntentFlags, signIntent, writeIntent } from '../publish-intent.ts';
import { openApiWithToken } from '../reach.ts';
import { formatFields } from '../table.ts';
import { isInteractive } from '../world.ts';

export function makeCommand(run: Run): Command {
  return declare('publish', 'publish acme/kimi-k2@v1.0 --digest sha256:9f86d0… --key max.key')
    .argument('<ref>', 'namespace/name@version')
    .option('--digest <digest>', 'digest of what is sealed; needed when nobody can be asked')
    .addOption(
      new Option('--expires <duration>', 'how long the intent is good').default(INTENT_LASTS),
    )
    .option('--unsigned <file>', 'write the intent to a file for "decide --sign-offline" instead')
    .option(
      '--public-key <pem>',
      'with --unsigned: the key that will sign, as "key show" prints it',
    )
    .option('--submit <file>', 'publish with the intent that was signed in a file')
    .addOption(keyFlag())
    .addOption(passphraseFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(publish));
}

interface PublishFlags extends IntentFlags {
  readonly digest?: string;
}

async function publish(context: Context, flags: PublishFlags, reference: string): Promise<void> {
  const { output, signal } = context;
  const release = parseReleaseName(reference);
  const named = flags.digest === undefined ? undefined : parseDigest(flags.digest, '--digest');
  if (named === undefined) requireTerminal(context, release);
  const api = await openApiWithToken(context);
  const status = await readStatus(api, release, signal);
  if (flags.unsigned !== undefined) {
    const digest = named ?? status?.digest;
    if (status === undefined || digest === undefined) throw unsealed(release, status);
    const intended = { api, release, digest, status };
    return writeIntent(context, flags, intended, flags.unsigned);
  }
  const digest = named ?? (await confirm(context, status, release));
  const intent = status && (await signIntent(context, flags, { api, release, digest, status }));
  const published = await api
    .publish(release, digest, { signal, ...(intent === undefined ? {} : { intent }) })
    .catch((error: unknown) => sayWhatIsMissing(context, release, error));
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

/** What the registry knows of it; undefined where nothing was ever pushed: then publish says so. */
async function readStatus(
  api: Api,
  release: ReleaseName,
  signal: AbortSignal,
): Promise<DraftStatus | undefined> {
  return api.draftStatus(release, { signal }).catch((error: unknown) => {
    if (isCoded(error, 'not-found')) return undefined;
    throw error;
  });
}

function requireTerminal({ world }: Context, release: ReleaseName): void {
  if (isInteractive(world)) return;
  const name = formatReleaseName(release);
  throw new CodedError(
    'usage',
    `name what is to be published: --digest sha256:… of what is sealed ("weighhouse status ${name}" shows it)`,
  );
}

function unsealed(release: ReleaseName, status: DraftStatus | undefined): CodedError {
  const name = formatReleaseName(release);
  if (status === undefined) return new CodedError('not-found', `there is no draft ${name}`);
  const { state } = status;
  const next = state === 'withdrawn' ? 'choose another version' : 'seal it first';
  return new CodedError('gate-unmet', `${name} is not sealed but ${state}; ${next}`);
}

/** Shows what is sealed, and has the reference typed. */
async function confirm(
  { output, world }: Context,
  status: DraftStatus | undefined,
  release: ReleaseName,
): Promise<Digest> {
  const name = formatReleaseName(release);
  const digest = status?.state === 'withdrawn' ? undefined : status?.digest;
  if (digest === undefined) throw unsealed(release, status);
  output.say(`${name} is sealed as ${digest}.`);
  output.say('Publishing it cannot be undone: it will be in the public log for ever.');
  const typed = await ask(world, 'Type the reference to publish it: ');
  if (typed.trim() === name) return digest;
  throw new CodedError('interrupted', `that is not ${name}; nothing was published`);
}

/** When the gate says no: each thing that is missing, and the command that would meet it. */
function sayWhatIsMissing({ output }: Context, release: ReleaseName, error: unknown): never {
  if (!isCoded(error, 'gate-unmet') || !Array.isArray(error.details.missing)) throw error;
  for (const lack of error.details.missing as readonly Record<string, unknown>[]) {
    if (typeof lack.message !== 'string') continue;
    output.say(`missing: ${lack.message}`);
    if (typeof lack.satisfiedBy === 'string') output.say(`         next: ${lack.satisfiedBy}`);
  }
  const name = formatReleaseName(release);
  throw new CodedError(
    'gate-unmet',
    `${name} is not published, for the gate is not met; "weighhouse status ${name}" shows it whole: ${error.message}`,
    error.details,
    { cause: error },
  );
}
