/** Which release of a model is meant. */
import type { Api } from '../client/api.ts';
import { CodedError } from '../core/error.ts';
import { formatModel, parseReleaseName, type Reference } from '../core/release/name.ts';

/** The version or digest; the newest release when none is named. */
export async function whichOf(
  api: Api,
  reference: Reference,
  signal: AbortSignal,
): Promise<string> {
  const { at } = reference;
  if (at !== undefined) return 'version' in at ? at.version : at.digest;
  const { newest } = await api.model(reference, { signal });
  if (newest !== undefined) return parseReleaseName(newest).version;
  throw new CodedError('not-found', `${formatModel(reference)} has no published release`);
}
