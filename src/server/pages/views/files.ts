/** The files of a release, a page at a time. */

import type { ManifestFile } from '../../../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../../../core/release/name.ts';
import type { PublishedRelease } from '../../../registry/registry.ts';
import { apiOf, filePath, filesPage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { bytes, digest, number } from '../pieces.ts';
import { path } from './path.ts';

/** Files of one page: with them it stays below 50 kB. */
export const FILES_A_PAGE = 100;

export interface FilesShown {
  readonly published: PublishedRelease;
  /** From 1. */
  readonly page: number;
}

export function filesView({ published, page }: FilesShown): Page {
  const { release, manifest } = published;
  const reference = formatReleaseName(release);
  const first = (page - 1) * FILES_A_PAGE;
  const files = manifest.files.slice(first, first + FILES_A_PAGE);
  return {
    title: `Files of ${reference}`,
    description: `Every file of ${reference} with its size and SHA-256.`,
    path: filesPage(release),
    body: html`
${path(release)}
<h1>Files</h1>
<p>${number(manifest.files.length)} files, ${bytes(manifest.size)} together, as the <a href="${apiOf(release, 'manifest.json')}">signed manifest</a> names them.</p>
${fileTable(release, files)}
${pages(filesPage(release), page, Math.ceil(manifest.files.length / FILES_A_PAGE))}`,
  };
}

export function fileTable(release: ReleaseName, files: readonly ManifestFile[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Files"><table class="files"><thead><tr><th>File</th><th class="figure">Size</th><th>Format</th><th>SHA-256</th></tr></thead><tbody>${files.map(
    ({ path: name, size, format, sha256 }) => html`
<tr><td><a href="${filePath(release, name)}" download>${name}</a></td><td class="figure">${bytes(size)}</td><td>${format}</td><td>${digest(sha256)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** Links to the pages of a long list, where it has more than one. */
export function pages(address: string, page: number, count: number): Html | undefined {
  if (count <= 1) return undefined;
  const to = (other: number, text: string, rel: string) =>
    html`<a href="${address}${address.includes('?') ? '&' : '?'}page=${other}" rel="${rel}">${text}</a>`;
  return html`<nav class="pages" aria-label="Pages">${page > 1 && to(page - 1, 'Before', 'prev')} <span>Page ${number(page)} of ${number(count)}</span> ${page < count && to(page + 1, 'Next', 'next')}</nav>`;
}
