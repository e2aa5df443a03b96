/** What a person sees where a page cannot be shown. */
import { HOME } from '../addresses.ts';
import { html } from '../html.ts';
import type { Page } from '../layout.ts';

export interface Failure {
  readonly status: number;
  /** One sentence. */
  readonly message: string;
  /** The request, for who asks the operator. */
  readonly id: string;
}

export function failureView({ status, message, id }: Failure): Page {
  const title =
    status === 404 ? 'There is nothing here' : status < 500 ? 'That was refused' : 'That failed';
  return {
    title,
    description: title,
    path: HOME,
    unlisted: true,
    body: html`
<h1>${title}</h1>
<p class="lead">${message.charAt(0).toUpperCase()}${message.slice(1)}.</p>
<p><a href="${HOME}">To the released models</a></p>
<p class="small">Status ${status}, request ${id}</p>`,
  };
}
