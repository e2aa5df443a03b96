/** Signing in: at a provider, or with the link that `weighhouse login --web` made. */
import type { Person } from '../../../keyring/session.ts';
import { DRAFTS_PAGE, providerPage, SIGN_IN_PAGE } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { command, facts } from '../pieces.ts';

const COMMON = {
  path: SIGN_IN_PAGE,
  description: 'Sign in to the drafts.',
  unlisted: true,
} as const;

/** Asks whether somebody wants to be signed in: whatever merely looks at the link has not used it up. */
export function confirmView(code: string, { subject, roles, namespace }: Person): Page {
  return {
    ...COMMON,
    title: 'Sign in',
    body: html`
<h1>Sign in?</h1>
${facts([
  ['As', subject],
  ['Namespace', namespace ?? 'all of them'],
  ['Roles', roles.join(', ')],
])}
<form method="post" action="${SIGN_IN_PAGE}">
<input type="hidden" name="code" value="${code}">
<p><button type="submit">Sign in</button></p>
</form>
<p class="small">You stay signed in in this browser for half an hour after you last did something, and eight hours at most. What you sign is signed with your own key; being signed in alone decides nothing.</p>`,
  };
}

/** A provider, as its button shows it. */
export interface ShownProvider {
  readonly name: string;
  readonly issuer: string;
}

/** Says how somebody signs in who has not. */
export function signedOutView(providers: readonly ShownProvider[], why?: string): Page {
  return {
    ...COMMON,
    title: 'Sign in',
    body: html`
<h1>Sign in</h1>
${why !== undefined && html`<div class="notice"><p>${why.charAt(0).toUpperCase()}${why.slice(1)}.</p></div>`}
<p class="lead">Drafts are for the people of their namespace alone.</p>
${providers.map(button)}
<p>With your token, this command opens a page that signs you in:</p>
${command('weighhouse login --web')}
<p>Then you find <a href="${DRAFTS_PAGE}">your drafts</a> here.</p>`,
  };
}

function button({ name, issuer }: ShownProvider): Html {
  return html`<form method="post" action="${providerPage(name)}"><p><button type="submit">Sign in with ${name}</button> <span class="small">at ${new URL(issuer).host}</span></p></form>
`;
}

/** Is seen for a moment, on the way to a provider; longer by whoever’s browser does not go on by itself. */
export function onTheWayView(provider: string, url: URL): Page {
  return {
    ...COMMON,
    title: `On the way to ${provider}`,
    body: html`
<h1>On the way to ${provider}</h1>
<p class="lead"><a href="${url.href}">Sign in at ${url.host}</a></p>
<p class="small">It sends you back here. If you have not come back within ten minutes, begin again.</p>`,
  };
}
