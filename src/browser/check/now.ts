/** Is that the newest that the log says, and what does it say about the release since? */
import { accept } from '../../client/accept.ts';
import { advisoriesAbout, readFreshness } from '../../client/freshness.ts';
import type { Seen } from '../../client/pins.ts';
import { openView, type SignedHead } from '../../client/view.ts';
import { CodedError } from '../../core/error.ts';
import type { ReadTile } from '../../core/log/tile-reader.ts';
import { formatReleaseName, parseReleaseName } from '../../core/release/name.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { checkKnown, type LoggedAdvisory } from '../../core/verify/freshness.ts';
import type { LoggedRelease } from './log.ts';
import type { PublicReader } from './reader.ts';
import type { Fact, Finding } from './step.ts';

/**
 * The state of the namespace by the newest heads entry. It is remembered before anything is said
 * of the release, so that a recall that was shown once cannot be taken back.
 */
export async function checkFresh(
  reader: PublicReader,
  root: TrustRoot,
  { entry, index }: LoggedRelease,
  log: { readonly head: SignedHead; readonly seen: Seen | undefined; readonly read: ReadTile },
  signal: AbortSignal | undefined,
): Promise<Finding> {
  const { host, api, pins, clock } = reader;
  const release = parseReleaseName(entry.release);
  const { seen } = log;
  const look = () =>
    readFreshness(host, api, root, release.namespace, { now: clock(), seen, signal });
  let fresh = await look();
  // It may have been published since that look: another one must know it.
  if (!checkKnown(fresh.state, { release, index }).ok) fresh = await look();
  const { newest } = accept(checkKnown(fresh.state, { release, index }));
  await openView(host, [log.head, ...fresh.heads], seen, log.read);

  const { index: at, time } = fresh.state;
  const published = fresh.heads.at(-1)!;
  await pins.saveSeen(root.origin, { checkpoint: published.note, heads: { index: at, time } });

  const advisories = advisoriesAbout(fresh.state, release);
  refuseRecalled(advisories, formatReleaseName(release));
  const facts: Fact[] = [
    { label: 'State of', value: time, as: 'instant' },
    { label: 'Heads entry', value: String(at) },
    ...advisories.map(({ entry: { advisory, summary }, index: place }) => ({
      label: advisory,
      value: `${summary} (entry ${place})`,
    })),
  ];
  return { said: sentenceOf(advisories, newest > index), by: 'the log’s key', facts };
}

function refuseRecalled(advisories: readonly LoggedAdvisory[], release: string): void {
  const recall = advisories.find(({ entry }) => entry.advisory === 'recalled');
  if (recall === undefined) return;
  const { summary, time } = recall.entry;
  throw new CodedError(
    'recalled',
    `${release} was recalled: ${summary} (log entry ${recall.index}). Do not use it.`,
    { entry: recall.index, time },
  );
}

function sentenceOf(advisories: readonly LoggedAdvisory[], superseded: boolean): string {
  const said =
    advisories.length === 0
      ? 'The log’s newest state of the namespace knows no advisory about this release'
      : `The log’s newest state of the namespace knows ${advisories.length} ${advisories.length === 1 ? 'advisory' : 'advisories'} about this release, and no recall`;
  return superseded
    ? `${said}. There is a newer release of the model.`
    : `${said}, and no newer one of the model.`;
}
