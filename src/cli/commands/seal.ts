/**
 * `seal REF`: seals what `push --no-seal` uploaded. The registry reads every byte back, and
 * the manifest that it seals is compared with the directory, which is hashed again for that.
 * What is sealed already, or published, stays as it is: then its digest is the answer.
 */
import type { Command } from 'commander';
import type { Api } from '../../client/api.ts';
import { digestOf } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { parseManifest } from '../../core/release/manifest.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { nodeHost } from '../../hashing/host.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApiWithToken } from '../reach.ts';
import { forgetUnsealed, recallUnsealed } from '../unsealed.ts';
import { answerSealed, runPush, type SealedDraft } from './push.ts';

export function makeCommand(run: Run): Command {
  return declare('seal', 'seal acme/kimi-k2@v1.0')
    .argument('<ref>', 'namespace/name@version')
    .argument('[dir]', 'the directory that was pushed; needed on another machine only')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(seal));
}

async function seal(
  context: Context,
  _flags: SharedFlags,
  reference: string,
  directory?: string,
): Promise<void> {
  const release = parseReleaseName(reference);
  const pushed = directory === undefined ? await recallUnsealed(context, release) : { directory };
  if (pushed === undefined) return answerSealed(context, await findSealed(context, release));
  const result = await runPush(context, release, pushed);
  await forgetUnsealed(context, release);
  answerSealed(context, result);
}

/** What is sealed as `release`, whoever pushed it from wherever. Throws `usage` for an open draft. */
async function findSealed(context: Context, release: ReleaseName): Promise<SealedDraft> {
  const { signal } = context;
  const api = await openApiWithToken(context);
  const { state, digest } = await api.draftStatus(release, { signal });
  const name = formatReleaseName(release);
  if (state === 'withdrawn') {
    throw new CodedError('conflict', `${name} was withdrawn; choose another version`);
  }
  if (digest === undefined) {
    throw new CodedError(
      'usage',
      `${name} was not pushed with --no-seal from this machine; name its directory: weighhouse seal ${name} DIR`,
    );
  }
  const { files, size } = await readSealed(api, release, digest, signal);
  return { reference: name, digest, files: files.length, bytes: size, state };
}

async function readSealed(api: Api, release: ReleaseName, digest: string, signal: AbortSignal) {
  const bytes = await api.draftManifest(release, { signal });
  if (digestOf(nodeHost, bytes) === digest) return parseManifest(bytes);
  throw new CodedError(
    'digest-mismatch',
    `the manifest of ${formatReleaseName(release)} is not the one with the digest ${digest}; do not publish it`,
  );
}
