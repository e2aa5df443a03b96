/** What every page has around it. */
import { API_PAGE, DRAFTS_PAGE, HOME, LOG_PAGE, SIGN_OUT, STATUS_PAGE } from './addresses.ts';
import { type Html, html } from './html.ts';

/** What a page needs to know of the registry that shows it. */
export interface Site {
  /** The registry's origin. */
  readonly origin: string;
  /** How people reach it, without a final `/`. */
  readonly url: string;
  /** The address of an asset; it changes with the asset. */
  readonly asset: (name: string) => string;
}

export interface Page {
  readonly title: string;
  /** One sentence, for search engines and for who is shown a link. */
  readonly description: string;
  /** Where the page lies, below the registry's address. */
  readonly path: string;
  readonly body: Html;
  /** Scripts that it works better with. */
  readonly scripts?: readonly string[];
  /** The words that were searched for. */
  readonly query?: string;
  /** Feeds of what the page is about, below the registry's address. */
  readonly feeds?: readonly { readonly type: 'atom' | 'json'; readonly path: string }[];
  /** Who is signed in, on a page that is for them alone. */
  readonly person?: string;
  /** For pages that no search engine is to list. */
  readonly unlisted?: true;
}

const FEED_TYPES = { atom: 'application/atom+xml', json: 'application/feed+json' } as const;

/** The whole document. */
export function layout(site: Site, page: Page): Html {
  const { title, description, path, body, scripts = [], query = '', feeds = [] } = page;
  const whole = path === HOME ? `${title} · Weighhouse` : `${title} · ${site.origin}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${whole}</title>
<meta name="description" content="${description}">
<meta name="color-scheme" content="light dark">
${page.unlisted && html`<meta name="robots" content="noindex">`}
<meta property="og:title" content="${title}">
<meta property="og:description" content="${description}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="Weighhouse at ${site.origin}">
<meta property="og:url" content="${site.url}${path}">
<link rel="canonical" href="${site.url}${path}">
<link rel="icon" href="${site.asset('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${site.asset('style.css')}">
${feeds.map(({ type, path: feed }) => html`<link rel="alternate" type="${FEED_TYPES[type]}" href="${feed}">`)}
${scripts.map((name) => html`<script type="module" src="${site.asset(name)}"></script>`)}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
  <a class="name" href="${HOME}"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3v18M7 21h10M4 7h16M4 7l-2.5 6h5zM20 7l-2.5 6h5z"/></svg>Weighhouse</a>
  <form role="search" action="${HOME}"><input type="search" name="q" value="${query}" aria-label="Search models" placeholder="Search models, files, digests"></form>
  <nav aria-label="Registry"><a href="${LOG_PAGE}">Log</a><a href="${STATUS_PAGE}">Status</a><a href="${API_PAGE}">API</a></nav>
</header>
${page.person !== undefined && signedIn(page.person)}
<main id="content">
${body}
</main>
<footer>
  <p>The registry <strong>${site.origin}</strong>. Every byte here was read back and checked before it was signed; every release is an entry of a <a href="${LOG_PAGE}">public log</a> that only grows. What that proves, and what it does not: it says which bytes were released, by whom and after which decisions. It does not say that a model is safe, correct or useful.</p>
</footer>
</body>
</html>
`;
}

function signedIn(person: string): Html {
  return html`<form class="person" aria-label="Signed in" method="post" action="${SIGN_OUT}"><span>Signed in as <strong>${person}</strong></span> <a href="${DRAFTS_PAGE}">Drafts</a> <button class="quiet">Sign out</button></form>`;
}
