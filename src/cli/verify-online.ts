/** `verify --online`: what the registry says about a folder that is in order by itself. */
import { Api } from '../client/api.ts';
import { parseRegistryUrl } from '../client/http.ts';
import { resolveRelease } from '../client/release.ts';
import { CodedError } from '../core/error.ts';
import { readLeft } from '../transfer/left-documents.ts';
import { Target } from '../transfer/target.ts';
import type { VerifiedFolder } from '../transfer/verify.ts';
import { warnOfAdvisories } from './advisories.ts';
import type { Context } from './context.ts';
import { apiAt, openReader } from './reach.ts';

/** What only the registry knows: advisories, and that its log is fresh and still holds this. */
export async function askRegistry(
  context: Context,
  acceptRecalled: boolean,
  directory: string,
  { release, reference, digest }: VerifiedFolder,
): Promise<string[]> {
  const { signal, output } = context;
  const reader = await openReader(context, await whereFrom(context, directory));
  const asked = { ...release, at: { version: release.version } };
  const resolved = await resolveRelease(reader, asked, { acceptRecalled, signal });
  if (resolved.verified.digest !== digest) {
    throw new CodedError(
      'untrusted',
      `the registry shows ${reference} with the digest ${resolved.verified.digest}, the directory holds ${digest}`,
      { expected: digest, found: resolved.verified.digest },
    );
  }
  warnOfAdvisories(output, reference, resolved);
  return [
    'the registry’s log is fresh, and has only grown since it was last seen',
    resolved.advisories.length === 0
      ? 'there is no advisory about the release'
      : 'the advisories about the release are shown above',
  ];
}

/** `--url`, or where the release was pulled from: a mirror of the same registry will do. */
async function whereFrom(context: Context, directory: string): Promise<Api> {
  const { url } = context.config;
  if (url !== undefined) return apiAt(context, parseRegistryUrl(url));
  const { summary } = await readLeft(await Target.open(directory));
  // Nobody signed that address, and the folder may come from anybody: the token is not for it.
  return new Api({ url: parseRegistryUrl(summary.url) });
}
