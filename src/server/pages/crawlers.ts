/** For search engines: which pages there are, and what is not theirs to fetch. */
import { Readable } from 'node:stream';
import type { Request, Response, Router } from 'express';
import { SitemapIndexStream, SitemapStream, streamToPromise } from 'sitemap';
import { CodedError } from '../../core/error.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import { OCI_PATH } from '../oci/router.ts';
import { named } from '../request-log.ts';
import { HOME, modelPage, OWN_PAGES } from './addresses.ts';
import type { Site } from './layout.ts';
import { wholeOf } from './query.ts';
import { sendText } from './send.ts';

/** A file may have 50,000 addresses (sitemaps.org, "Using Sitemap index files"); one is the first page's. */
const MODELS_A_SITEMAP = 49_999;

const SITEMAP = '/sitemap.xml';
const XML = 'application/xml; charset=utf-8';

/** Only what the format itself has. */
const PLAIN = { news: false, video: false, xhtml: false, image: false } as const;

export interface CrawlerParts {
  readonly catalogue: FollowingCatalogue;
  /** Models of one sitemap; fewer only in tests. */
  readonly modelsASitemap?: number;
}

export function addCrawlerFiles(router: Router, site: Site, parts: CrawlerParts): void {
  const maps = new Sitemaps(site, parts);
  router.get('/robots.txt', named('/robots.txt'), (request, response) => {
    sendText(request, response, 'text/plain; charset=utf-8', robots(site));
  });
  router.get(SITEMAP, named(SITEMAP), async (request, response) => {
    sendText(request, response, XML, await maps.first());
  });
  const further = `${OWN_PAGES}/sitemaps`;
  router.get(
    `${further}/:number.xml`,
    named(`${further}/{number}.xml`),
    async (request: Request, response: Response) => {
      const { number } = wholeOf('number', request.params.number);
      sendText(request, response, XML, await maps.numbered(number));
    },
  );
}

/** Bytes of weights are no pages, and the API has nothing that a page does not show. */
function robots({ url }: Site): string {
  return [
    'User-agent: *',
    `Disallow: ${OCI_PATH}/`,
    'Disallow: /api/',
    'Disallow: /*/resolve/',
    'Disallow: /log/',
    'Allow: /',
    '',
    `Sitemap: ${url}${SITEMAP}`,
    '',
  ].join('\n');
}

/** They are made once for each state of the index: a crawler that asks often costs nothing. */
class Sitemaps {
  readonly #site: Site;
  readonly #catalogue: FollowingCatalogue;
  readonly #limit: number;
  #made = new Map<number, Promise<string>>();
  #models: number | undefined;
  #madeFor = -1;

  constructor(site: Site, { catalogue, modelsASitemap = MODELS_A_SITEMAP }: CrawlerParts) {
    this.#site = site;
    this.#catalogue = catalogue;
    this.#limit = modelsASitemap;
  }

  /** All models or, where they are too many for one file, which files there are. */
  first(): Promise<string> {
    const files = this.#files();
    return files === 1 ? this.numbered(1) : this.#once(0, () => this.#index(files));
  }

  /** The file with that number, from 1. Throws `not-found`. */
  async numbered(number: number | undefined): Promise<string> {
    if (number === undefined || number < 1 || number > this.#files()) {
      throw new CodedError('not-found', 'there is no such sitemap');
    }
    return this.#once(number, () => this.#file(number));
  }

  #files(): number {
    this.#renew();
    this.#models ??= this.#catalogue.modelCount();
    return Math.max(1, Math.ceil(this.#models / this.#limit));
  }

  #once(number: number, make: () => Promise<string>): Promise<string> {
    const known = this.#made.get(number);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(number, made);
    made.catch(() => this.#made.delete(number));
    return made;
  }

  /** Forgets what was made of an index that has grown since. */
  #renew(): void {
    const size = this.#catalogue.size();
    if (this.#madeFor === size) return;
    this.#madeFor = size;
    this.#made = new Map();
    this.#models = undefined;
  }

  async #file(number: number): Promise<string> {
    const offset = (number - 1) * this.#limit;
    const { url } = this.#site;
    const models = this.#catalogue.modelsByName({ limit: this.#limit, offset });
    const pages = models.map(({ model, time }) => ({ url: url + modelPage(model), lastmod: time }));
    const first = number === 1 ? [{ url: url + HOME }] : [];
    const xml = Readable.from([...first, ...pages]).pipe(new SitemapStream({ xmlns: PLAIN }));
    return (await streamToPromise(xml)).toString();
  }

  async #index(files: number): Promise<string> {
    const addresses = Array.from({ length: files }, (_, i) => ({
      url: `${this.#site.url}${OWN_PAGES}/sitemaps/${i + 1}.xml`,
    }));
    const xml = Readable.from(addresses).pipe(new SitemapIndexStream());
    return (await streamToPromise(xml)).toString();
  }
}
