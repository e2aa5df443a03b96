/** What has been said of a release since it was published, as warnings. */
import type { ResolvedRelease } from '../client/release.ts';
import type { Output } from './output.ts';

/** Warns of each advisory about the release `reference`, and says when there is a newer one. */
export function warnOfAdvisories(
  output: Output,
  reference: string,
  { advisories, superseded }: Pick<ResolvedRelease, 'advisories' | 'superseded'>,
): void {
  for (const { index, entry } of advisories) {
    output.warn(`${reference}: ${entry.advisory}: ${entry.summary} (log entry ${index})`);
  }
  if (superseded) output.say(`${reference} is not the newest release of its model`);
}

/** The same for `--json`. */
export function advisoryDocuments({ advisories }: Pick<ResolvedRelease, 'advisories'>) {
  return advisories.map(({ index, entry }) => ({
    index,
    kind: entry.advisory,
    summary: entry.summary,
    time: entry.time,
  }));
}
