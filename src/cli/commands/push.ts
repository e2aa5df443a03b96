/** `push DIR REF`: a directory becomes a sealed draft. Stopped, the same command goes on. */
import type { Command } from 'commander';
import type { DraftStatus } from '../../client/answers.ts';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { claimsOf } from '../../core/release/claims.ts';
import { parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { expectLargeBodies } from '../../hashing/garbage.ts';
import { nodeHost } from '../../hashing/host.ts';
import { type PushResult, previewPush, push } from '../../transfer/push.ts';
import { type ClaimFlags, claimFlags, claimsFrom } from '../claims.ts';
import { declare, excludeFlag, includeFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { withPool } from '../pool.ts';
import { showing } from '../progress.ts';
import { openApiIfAny, openApiWithToken, openNonces } from '../reach.ts';
import { forgetUnsealed, rememberUnsealed, type Unsealed } from '../unsealed.ts';

export function makeCommand(run: Run): Command {
  const command = declare('push', 'push ./kimi-k2 acme/kimi-k2@v1.0')
    .argument('<dir>', 'directory with the model’s files')
    .argument('<ref>', 'namespace/name@version')
    .option('--no-seal', 'upload only; "weighhouse seal" seals later')
    .option('--dry-run', 'only say what would be pushed')
    .addOption(includeFlag())
    .addOption(excludeFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag());
  for (const flag of claimFlags()) command.addOption(flag);
  return command.action(run(pushDirectory));
}

interface PushFlags extends SharedFlags, ClaimFlags {
  readonly seal: boolean;
  readonly dryRun?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

async function pushDirectory(
  context: Context,
  flags: PushFlags,
  directory: string,
  reference: string,
): Promise<void> {
  const { output } = context;
  const { seal, dryRun = false, include, exclude } = flags;
  const release = parseReleaseName(reference);
  const files = { directory, include, exclude, ...(await claimsFrom(context, flags)) };
  const result = dryRun
    ? await preview(context, release, files)
    : await runPush(context, release, files, { noSeal: !seal });
  for (const path of result.leftOut) output.say(`left out: ${path}`);
  for (const warning of result.warnings) output.warn(warning);
  if (dryRun) output.result({ ...result, dryRun }, [`would push ${describeSize(result)}`]);
  else await answerPushed(context, release, files, result);
}

/** What a push says at its end; what was not sealed is remembered for `seal`. */
export async function answerPushed(
  context: Context,
  release: ReleaseName,
  files: Unsealed,
  result: PushResult,
): Promise<void> {
  const { output } = context;
  if (result.digest !== undefined) {
    await forgetUnsealed(context, release);
    answerSealed(context, result);
    return;
  }
  await rememberUnsealed(context, release, files);
  output.result(result, [`pushed ${describeSize(result)}; not sealed`]);
  output.say(`next: weighhouse seal ${result.reference}`);
}

/** What is sealed, with its state where that is known. */
export type SealedDraft = Pick<PushResult, 'reference' | 'digest' | 'files' | 'bytes'> & {
  readonly state?: DraftStatus['state'];
};

/** What a push says once it is sealed, and what a later seal says. */
export function answerSealed({ output }: Context, sealed: SealedDraft): void {
  const { reference, digest, state = 'sealed' } = sealed;
  output.result(sealed, [`${state} ${describeSize(sealed)}`, `${digest}`]);
  if (state !== 'sealed') return;
  output.say(`next: weighhouse publish ${reference} --digest ${digest}`);
  output.say(`      weighhouse status ${reference} says what its gate still lacks`);
}

/** What would be pushed. It sends nothing and takes no token; a registry, if one is meant, says its policy. */
async function preview(
  context: Context,
  release: ReleaseName,
  { directory, include, exclude }: Unsealed,
): Promise<PushResult> {
  const { signal } = context;
  return previewPush(await openApiIfAny(context), directory, release, { include, exclude, signal });
}

/** Pushes the files, with progress. */
export async function runPush(
  context: Context,
  release: ReleaseName,
  files: Unsealed,
  { noSeal = false }: { readonly noSeal?: boolean } = {},
): Promise<PushResult> {
  const { signal, world } = context;
  const { directory, include, exclude } = files;
  expectLargeBodies();
  const api = await openApiWithToken(context);
  return withPool((pool) =>
    showing({ screen: world.stderr }, (onProgress) => {
      const publisher = { host: nodeHost, api, pool, nonces: openNonces(context) };
      const claims = claimsOf(files);
      const options = { include, exclude, claims, noSeal, signal, onProgress };
      return push(publisher, directory, release, options);
    }),
  );
}

function describeSize({ reference, files, bytes }: SealedDraft): string {
  return `${reference}: ${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
}
