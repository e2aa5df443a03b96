/** Where a page of a release stands. */
import type { ReleaseName } from '../../../core/release/name.ts';
import { modelPage, namespacePage, releasePage } from '../addresses.ts';
import { type Html, html } from '../html.ts';

export function path({ namespace, name, version }: ReleaseName): Html {
  const model = { namespace, name };
  return html`<nav class="path" aria-label="Where this is"><a href="${namespacePage(namespace)}">${namespace}</a> / <a href="${modelPage(model)}">${name}</a> / <a href="${releasePage({ ...model, version })}">${version}</a></nav>`;
}
