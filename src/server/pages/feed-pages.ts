/**
 * Feeds: what was released, announced and said since, of one namespace or of all, as Atom
 * (RFC 4287) and as JSON Feed 1.1. An item is known by its place in the log, whatever the
 * address that the registry is reached by.
 */
import type { Router } from 'express';
import { generateAtomFeed, generateJsonFeed } from 'feedsmith';
import { CodedError } from '../../core/error.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import type { CatalogueEvent } from '../../index/catalogue.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { Registry } from '../../registry/registry.ts';
import { named } from '../request-log.ts';
import {
  advisoryPage,
  entryPage,
  feedPath,
  HOME,
  namespacePage,
  OWN_PAGES,
  releasePageOf,
} from './addresses.ts';
import type { Site } from './layout.ts';
import { sendText } from './send.ts';

/** Events of a feed. */
export const EVENTS_A_FEED = 50;

/** When a feed without events was updated: it has been as it is since ever. */
const NEVER = new Date(0);

const TYPES = {
  atom: 'application/atom+xml; charset=utf-8',
  json: 'application/feed+json; charset=utf-8',
} as const;

type FeedType = keyof typeof TYPES;

export interface FeedPageParts {
  readonly registry: Registry;
  readonly catalogue: FollowingCatalogue;
  readonly origin: string;
}

/** Of which namespace the feed is, and what it tells. */
interface Told {
  readonly of: Namespace | 'all';
  readonly events: readonly CatalogueEvent[];
}

export function addFeeds(router: Router, site: Site, parts: FeedPageParts): void {
  const path = `${OWN_PAGES}/feeds`;
  router.get(`${path}/:name`, named(`${path}/{name}`), async (request, response) => {
    const { of, type } = parseFeedName(String(request.params.name));
    // A namespace that is not there has no feed, and one that has nothing to tell has an empty one.
    if (of !== 'all') await parts.registry.policy(of);
    const namespace = of === 'all' ? {} : { namespace: of };
    const events = parts.catalogue.news({ ...namespace, limit: EVENTS_A_FEED });
    const text = type === 'atom' ? atom(site, { of, events }) : json(site, { of, events });
    sendText(request, response, TYPES[type], text);
  });
}

/** `acme.atom` */
function parseFeedName(text: string): { readonly of: Namespace | 'all'; readonly type: FeedType } {
  const [, name, type] = /^(.+)\.(atom|json)$/.exec(text) ?? [];
  if (name === undefined) throw new CodedError('not-found', 'there is no such feed');
  return { of: name === 'all' ? 'all' : parseNamespace(name), type: type as FeedType };
}

function atom(site: Site, { of, events }: Told): string {
  const { title, subtitle, page } = words(site, of);
  return generateAtomFeed({
    id: site.url + feedPath(of, 'atom'),
    title: { value: title, type: 'text' },
    subtitle: { value: subtitle, type: 'text' },
    updated: events[0] === undefined ? NEVER : new Date(events[0].time),
    authors: [{ name: site.origin }],
    generator: { text: 'Weighhouse' },
    links: [
      { rel: 'self', href: site.url + feedPath(of, 'atom'), type: 'application/atom+xml' },
      { rel: 'alternate', href: site.url + page, type: 'text/html' },
    ],
    entries: events.map((event) => ({
      id: idOf(site, event),
      title: { value: titleOf(event), type: 'text' },
      summary: { value: event.text, type: 'text' },
      updated: new Date(event.time),
      published: new Date(event.time),
      categories: [{ term: event.kind }],
      links: [{ rel: 'alternate', href: site.url + pageOf(event), type: 'text/html' }],
    })),
  });
}

function json(site: Site, { of, events }: Told): string {
  const { title, subtitle, page } = words(site, of);
  const feed = generateJsonFeed({
    title,
    description: subtitle,
    home_page_url: site.url + page,
    feed_url: site.url + feedPath(of, 'json'),
    authors: [{ name: site.origin }],
    language: 'en',
    items: events.map((event) => ({
      id: idOf(site, event),
      url: site.url + pageOf(event),
      title: titleOf(event),
      content_text: event.text,
      date_published: new Date(event.time),
      tags: [event.kind],
    })),
  });
  return JSON.stringify(feed);
}

function words(site: Site, of: Namespace | 'all') {
  const whose = of === 'all' ? site.origin : `${of} at ${site.origin}`;
  return {
    title: `Releases and advisories of ${whose}`,
    subtitle: 'What was released and announced, and what was said of it since, by the public log.',
    page: of === 'all' ? HOME : namespacePage(of),
  };
}

/** A tag URI (RFC 4151): whose log, and where in it. */
function idOf({ origin }: Site, { index, time }: CatalogueEvent): string {
  return `tag:${origin},${time.slice(0, 10)}:log/${index}`;
}

/** Characters of a title: a summary goes on in the item. */
const MAX_TITLE = 120;

function titleOf({ text }: CatalogueEvent): string {
  const [line = ''] = text.split('\n');
  return line.length <= MAX_TITLE ? line : `${line.slice(0, MAX_TITLE - 1).trimEnd()}…`;
}

/** What is announced need not be there: the entry is. */
function pageOf({ kind, index, release }: CatalogueEvent): string {
  if (kind === 'advisory') return advisoryPage(index);
  return kind === 'release' && release !== undefined ? releasePageOf(release) : entryPage(index);
}
