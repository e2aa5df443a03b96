/**
 * `import SOURCE REF`: the model at a source becomes a draft that says where it came from. The
 * files are fetched into a folder, each checked against the digest that the source states, and
 * pushed from there. Stopped, the same command goes on.
 */
import type { Command } from 'commander';
import type { Api } from '../../client/api.ts';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { CodedError } from '../../core/error.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { parseSource, type Source } from '../../core/release/source.ts';
import { type FolderAddress, parseAddress } from '../../transfer/import/address.ts';
import { bytesOf, type Snapshot } from '../../transfer/import/snapshot.ts';
import { stage } from '../../transfer/import/stage.ts';
import { type PushResult, previewPush } from '../../transfer/push.ts';
import { declare, excludeFlag, includeFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { type ImportFlags, openSnapshot, openStaging, refuseMisplaced } from '../importing.ts';
import { showing } from '../progress.ts';
import { openApiIfAny, openApiWithToken } from '../reach.ts';
import { formatFields, formatTable } from '../table.ts';
import type { Unsealed } from '../unsealed.ts';
import { answerPushed, runPush } from './push.ts';

export function makeCommand(run: Run): Command {
  return declare('import', 'import hf://openai/whisper-tiny@main acme/whisper-tiny@1.0')
    .argument('<source>', 'hf://NS/NAME[@REVISION], oci://HOST/NAME[:TAG|@sha256:…] or a directory')
    .argument('<ref>', 'namespace/name@version, the draft to make')
    .option('--into <dir>', 'fetch into this directory, and leave the files there')
    .option('--endpoint <url>', 'where hf:// is (HF_ENDPOINT); by default https://huggingface.co')
    .option('--source-token-file <file>', 'token for the source (for hf:// else HF_TOKEN)')
    .option('--plain-http', 'read oci:// over http; by itself only from this machine')
    .option('--source-url <url>', 'of a directory: the repository it came from')
    .option('--source-revision <revision>', 'of a directory: its commit there, or sha256:digest')
    .option('--no-seal', 'upload only; "weighhouse seal" seals later')
    .option('--dry-run', 'only say what would be imported')
    .addOption(includeFlag())
    .addOption(excludeFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(importModel));
}

interface Flags extends SharedFlags, ImportFlags {
  readonly seal: boolean;
  readonly dryRun?: boolean;
}

async function importModel(
  context: Context,
  flags: Flags,
  from: string,
  reference: string,
): Promise<void> {
  const release = parseReleaseName(reference);
  const address = parseAddress(from);
  refuseMisplaced(address, flags);
  if (address.kind === 'folder') return importFolder(context, flags, address, release);
  // Without a token nothing comes of it: that is said before anybody is asked.
  const api = flags.dryRun === true ? undefined : await openApiWithToken(context);
  const snapshot = await openSnapshot(context, flags, address);
  for (const path of snapshot.leftOut) context.output.say(`left out: ${path}`);
  if (api === undefined) answerPlan(context, release, snapshot);
  else await importSnapshot(context, flags, api, snapshot, release);
}

async function importSnapshot(
  context: Context,
  flags: Flags,
  api: Api,
  snapshot: Snapshot,
  release: ReleaseName,
): Promise<void> {
  const { signal, world, output } = context;
  const { source, files } = snapshot;
  // What the registry will not take, it refuses before anything is fetched.
  await api.openDraft(release, { plan: { files: files.length, bytes: bytesOf(files) }, signal });
  const staging = await openStaging(context, flags, source);
  output.say(`importing ${source.url} at ${source.revision} by way of ${staging.folder}`);
  await showing({ screen: world.stderr }, (onProgress) =>
    stage(snapshot, staging.folder, { signal, onProgress }),
  );
  const { leftOut, deselected } = snapshot;
  const staged = { directory: staging.folder, source };
  const pushed = await runPush(context, release, staged, { noSeal: !flags.seal });
  await answerImported(context, release, staged, { ...pushed, leftOut, deselected });
  if (pushed.digest !== undefined) await staging.clear();
  else output.say(`the files stay in ${staging.folder}, for seal`);
}

/** A folder has no revision that could be looked up: the person says it. */
async function importFolder(
  context: Context,
  flags: Flags,
  { folder }: FolderAddress,
  release: ReleaseName,
): Promise<void> {
  const { output, signal } = context;
  const { include, exclude, sourceUrl, sourceRevision, dryRun = false } = flags;
  if (sourceUrl === undefined || sourceRevision === undefined) {
    throw new CodedError(
      'usage',
      `say where ${folder} came from, with --source-url and --source-revision; a model of your own is published by: weighhouse push`,
    );
  }
  const source = parseSource({ url: sourceUrl, revision: sourceRevision });
  const files = { directory: folder, include, exclude, source };
  const result = dryRun
    ? await previewPush(await openApiIfAny(context), folder, release, { include, exclude, signal })
    : await runPush(context, release, files, { noSeal: !flags.seal });
  for (const path of result.leftOut) output.say(`left out: ${path}`);
  if (!dryRun) return answerImported(context, release, files, result);
  for (const warning of result.warnings) output.warn(warning);
  const { reference, files: count, bytes } = result;
  output.result({ ...result, source, dryRun }, [
    `would import ${folder} as ${reference}`,
    ...describeSource(source, count, bytes),
  ]);
}

function answerImported(
  context: Context,
  release: ReleaseName,
  files: Unsealed & { readonly source: Source },
  result: PushResult,
): Promise<void> {
  for (const warning of result.warnings) context.output.warn(warning);
  const imported = { ...result, source: files.source };
  return answerPushed(context, release, files, imported);
}

function answerPlan({ output }: Context, release: ReleaseName, snapshot: Snapshot): void {
  const { source, files, leftOut, deselected } = snapshot;
  const reference = formatReleaseName(release);
  const bytes = bytesOf(files);
  const list = files.map(({ path, size }) => ({ path, size }));
  const rows = list.map(({ path, size }) => [path, formatBytes(size)]);
  output.result(
    { reference, source, files: files.length, bytes, list, leftOut, deselected, dryRun: true },
    [
      `would import ${reference}`,
      ...describeSource(source, files.length, bytes),
      '',
      ...formatTable(['FILE', 'SIZE'], rows, ['left', 'right']),
    ],
  );
}

function describeSource({ url, revision }: Source, files: number, bytes: number): string[] {
  return formatFields([
    ['from', url],
    ['revision', revision],
    ['size', `${formatCount(files, 'file')}, ${formatBytes(bytes)}`],
  ]);
}
