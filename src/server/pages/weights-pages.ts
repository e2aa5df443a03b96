/** Pages of what is in the weights: the tensors of a release, and what changed since another one. */
import type { Request } from 'express';
import {
  formatModel,
  formatReleaseName,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import type { PublishedRelease } from '../../registry/registry.ts';
import { extentOf, type Tensors } from '../tensors/tensors.ts';
import type { Page } from './layout.ts';
import { releaseOf } from './page.ts';
import { pageOf, textOf } from './query.ts';
import type { AddPage } from './send.ts';
import type { Shown } from './shown.ts';
import { type DiffShown, diffView } from './views/diff.ts';
import { tensorsView } from './views/tensors.ts';

interface WeightsParts {
  readonly tensors: Tensors;
  readonly shown: Shown;
}

export function addWeightsPages(page: AddPage, { tensors, shown }: WeightsParts): void {
  const path = '/:namespace/:name/:version';

  page(`${path}/tensors`, async (request) => {
    const published = await shown.published(releaseOf(request));
    const extent = extentOf(published.manifest);
    const [words, number] = [textOf(request.query.q), pageOf(request.query.page)];
    const found = extent === 'shown' ? await tensors.page(published, words, number) : extent;
    return tensorsView({ published, found, words, page: number });
  });

  page(`${path}/diff`, (request) => diffPage(request, shown, tensors));
}

async function diffPage(request: Request, shown: Shown, tensors: Tensors): Promise<Page> {
  const after = await shown.published(releaseOf(request));
  const versions = await shown.versions(after.release);
  const since = textOf(request.query.since);
  const wanted = since === '' ? versionBefore(after.release, versions) : sinceOf(after, since);
  const before = wanted && (await shown.published(wanted));
  const page = pageOf(request.query.page);
  return diffView({
    ...{ after, before, versions, page },
    tensors: before && (await compared(tensors, before, after, page)),
  });
}

/** The version that the query names. Throws `bad-reference`. */
function sinceOf({ release }: PublishedRelease, version: string): ReleaseName {
  return parseReleaseName(`${formatModel(release)}@${version}`);
}

function versionBefore(
  release: ReleaseName,
  versions: readonly ReleaseName[],
): ReleaseName | undefined {
  const name = formatReleaseName(release);
  const at = versions.findIndex((each) => formatReleaseName(each) === name);
  return versions[at + 1];
}

async function compared(
  tensors: Tensors,
  before: PublishedRelease,
  after: PublishedRelease,
  page: number,
): Promise<DiffShown['tensors']> {
  const extents = [before, after].map(({ manifest }) => extentOf(manifest));
  if (extents.includes('too-large')) return 'too-large';
  if (extents.includes('none')) return 'none';
  return tensors.compare(before, after, page);
}
