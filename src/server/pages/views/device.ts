/** Letting a machine in: the code that it shows, who asks, and what it would be able to do. */
import type { TokenRole } from '../../../keyring/token.ts';
import type { LoginGrant, Waiting } from '../../device-logins.ts';
import { DEVICE_PAGE } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { countdown, facts, moment } from '../pieces.ts';

const COMMON = {
  path: DEVICE_PAGE,
  description: 'Let a machine in.',
  unlisted: true,
} as const;

/** Asks for the code. One from a link is put in, and looked at only when the person says so. */
export function codeView(code: string, why?: string): Page {
  return {
    ...COMMON,
    title: 'Let a machine in',
    body: html`
<h1>Let a machine in</h1>
${why !== undefined && html`<div class="notice" role="alert"><p>${why.charAt(0).toUpperCase()}${why.slice(1)}.</p></div>`}
<p>“weighhouse login” shows a code of eight letters. Type the one that your own machine shows you:</p>
<form method="post" action="${DEVICE_PAGE}">
<p><label>Code <input name="code" value="${code}" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="16"></label> <button type="submit">See who asks</button></p>
</form>`,
  };
}

export interface DeviceShown {
  readonly waiting: Waiting;
  readonly grant: LoginGrant;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Shows who asks, and lets the person compare the code before they say yes. */
export function letInView({ waiting, grant, now }: DeviceShown): Page {
  const { code, machine, address, time, roles: asks } = waiting;
  const { subject, namespace, roles, expires } = grant;
  const lacking = asks?.filter((role) => !roles.includes(role)) ?? [];
  return {
    ...COMMON,
    title: 'Let this machine in?',
    body: html`
<h1>Let this machine in?</h1>
<p class="lead">Whoever sits at it will speak as you.</p>
${facts([
  ['Code', html`<code class="code">${code}</code>`],
  ['Machine', html`<bdi>${machine}</bdi> <span class="small">as it calls itself</span>`],
  ['Asks from', address],
  ['Since', moment(time)],
  ['Would speak as', html`<bdi>${subject}</bdi>`],
  ['Namespace', namespace ?? 'all of them'],
  ['Would be able to', abilities(roles)],
  ['Until', countdown(new Date(expires * 1000).toISOString(), now)],
])}
${lacking.length > 0 && html`<p>It asks for ${lacking.join(', ')}, too, which you do not have and cannot give.</p>`}
<div class="notice"><p><strong>Did somebody send you this code?</strong> Then say no: they would act in your name. Say yes only if you ran “weighhouse login” yourself just now, and that machine shows exactly this code.</p></div>
<form method="post" action="${DEVICE_PAGE}">
<input type="hidden" name="code" value="${code}">
<p><label><input type="checkbox" name="same" value="yes" required> My own machine shows <code>${code}</code></label></p>
<p class="actions"><button type="submit" name="verdict" value="let-in">Let it in</button> <button type="submit" name="verdict" value="refuse" formnovalidate class="quiet">Say no</button></p>
</form>`,
  };
}

/** What became of it. */
export function answeredView({ machine }: Waiting, isLetIn: boolean): Page {
  const name = html`<bdi>${machine}</bdi>`;
  return {
    ...COMMON,
    title: isLetIn ? 'It is let in' : 'It is not let in',
    body: isLetIn
      ? html`<h1>It is let in</h1>
<p>${name} gets its token within some seconds. “weighhouse logout” there forgets it; the operator of the registry can end it everywhere.</p>`
      : html`<h1>It is not let in</h1>
<p>${name} is told so. Nothing was given to it.</p>`,
  };
}

const ABILITIES: Readonly<Record<TokenRole, string>> = {
  owner:
    'push drafts, publish where the policy asks for no more than a token, and change what its owners may with their signature (owner)',
  publisher: 'push drafts, and publish where the policy asks for no more than a token (publisher)',
  evaluator: 'see drafts, and have evaluations recorded that a key has signed (evaluator)',
  reviewer: 'see drafts, and have decisions recorded that a key has signed (reviewer)',
  'release-manager': 'push drafts, and publish what the policy lets be published (release-manager)',
  reader: 'read bytes that are kept for readers (reader)',
  operator: 'begin namespaces and run the registry (operator)',
};

function abilities(roles: readonly TokenRole[]): Html {
  return html`<ul class="plain">${roles.map((role) => html`<li>${ABILITIES[role]}</li>`)}</ul>`;
}
