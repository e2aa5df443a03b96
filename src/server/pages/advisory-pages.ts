/** Advisories of all namespaces, newest first, and a page for each. */
import type { Request } from 'express';
import { CodedError } from '../../core/error.ts';
import { ADVISORIES, type AdvisoryKind } from '../../core/log/entry.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { AdvisedRelease } from '../../index/catalogue.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { Registry } from '../../registry/registry.ts';
import { ADVISORIES_PAGE } from './addresses.ts';
import { Signatories } from './advised.ts';
import type { Page } from './layout.ts';
import { wholeOf } from './query.ts';
import type { AddPage } from './send.ts';
import { advisoriesView, advisoryView } from './views/advisories.ts';

/** Advisories of one page. */
export const ADVISORIES_A_PAGE = 50;

export interface AdvisoryPageParts {
  readonly registry: Registry;
  readonly catalogue: FollowingCatalogue;
  readonly origin: string;
}

export function addAdvisoryPages(page: AddPage, parts: AdvisoryPageParts): void {
  const { catalogue, origin, registry } = parts;
  const signatories = new Signatories(registry, nodeHost);
  page(ADVISORIES_PAGE, ({ query }) => {
    const kind = kindOf(query.kind);
    const found = catalogue.advisories({
      // One more than is shown tells whether there is another page.
      limit: ADVISORIES_A_PAGE + 1,
      ...(kind === undefined ? {} : { kind }),
      ...wholeOf('before', query.before),
    });
    const advisories = found.slice(0, ADVISORIES_A_PAGE);
    const next = found.length > advisories.length ? advisories.at(-1)?.index : undefined;
    return advisoriesView({ origin, advisories, kind, next });
  });
  page(`${ADVISORIES_PAGE}/:index`, async (request): Promise<Page> => {
    const advisory = advisoryOf(catalogue, request);
    const signatory = await signatories.of(advisory);
    return advisoryView({ advisory, signatory, others: othersOf(catalogue, advisory) });
  });
}

function advisoryOf(catalogue: FollowingCatalogue, { params }: Request): AdvisedRelease {
  const { index } = wholeOf('index', params.index);
  const found = index === undefined ? undefined : catalogue.advisory(index);
  if (found !== undefined) return found;
  throw new CodedError('not-found', 'there is no such advisory');
}

function othersOf(catalogue: FollowingCatalogue, { index, release, digest }: AdvisedRelease) {
  const said = catalogue.release(release)?.advisories ?? [];
  return said
    .filter((each) => each.index !== index)
    .map((each) => ({ ...each, release, digest }))
    .reverse();
}

function kindOf(value: unknown): AdvisoryKind | undefined {
  return ADVISORIES.find((kind) => kind === value);
}
