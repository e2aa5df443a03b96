/** Every tensor of a release: what it is called, what it is, and the digest of its bytes. */
import { formatCount, formatParameters } from '../../../core/amounts.ts';
import { formatReleaseName } from '../../../core/release/name.ts';
import type { TensorContent } from '../../../core/weights/compare.ts';
import type { PublishedRelease } from '../../../registry/registry.ts';
import { type DtypeSum, TENSORS_A_PAGE, type TensorPage } from '../../tensors/shelf.ts';
import { apiOf, tensorsPage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { bytes, command, digest, number } from '../pieces.ts';
import { pages } from './files.ts';
import { path } from './path.ts';

export interface TensorsShown {
  readonly published: PublishedRelease;
  readonly found: TensorPage | 'none' | 'too-large';
  /** What was searched for; '' for nothing. */
  readonly words: string;
  /** From 1. */
  readonly page: number;
}

export function tensorsView({ published, found, words, page }: TensorsShown): Page {
  const { release } = published;
  const reference = formatReleaseName(release);
  return {
    title: `Tensors of ${reference}`,
    description: `Every tensor of ${reference} with its dtype, shape, size and SHA-256.`,
    path: tensorsPage(release),
    ...(words === '' && page === 1 ? {} : { unlisted: true }),
    body: html`
${path(release)}
<h1>Tensors</h1>
${typeof found === 'string' ? nothingShown(published, found) : list(published, found, words, page)}`,
  };
}

function list(published: PublishedRelease, found: TensorPage, words: string, page: number): Html {
  const { release } = published;
  const address = tensorsPage(release);
  const isSearch = words !== '';
  const query = isSearch ? `?${new URLSearchParams({ q: words })}` : '';
  return html`
<p>${formatCount(found.all, 'tensor')} in ${found.files.length === 1 ? html`<code>${found.files[0]}</code>` : formatCount(found.files.length, 'file')}, as the <a href="${apiOf(release, 'tensors.json')}">signed inventory</a> names them, each with the SHA-256 of its bytes alone.</p>
<form class="search" role="search" aria-label="Tensors" action="${address}"><input type="search" name="q" value="${words}" aria-label="Part of a tensor’s name" placeholder="Part of a name, such as layers.12."><button>Search</button></form>
${isSearch && html`<p role="status">${found.found === 0 ? 'No' : number(found.found)} of ${number(found.all)} have “${words}” in their names. <a href="${address}">Show all</a></p>`}
${found.found > 0 && sums(found.sums)}
${found.tensors.length > 0 && tensorTable(found.tensors, found.files.length > 1)}
${found.found > 0 && found.tensors.length === 0 && html`<p class="empty">There are fewer pages than that. <a href="${address}${query}">To the first</a></p>`}
${pages(`${address}${query}`, page, Math.ceil(found.found / TENSORS_A_PAGE))}`;
}

/** By dtype, and together where there are several. */
function sums(rows: readonly DtypeSum[]): Html {
  const total = rows.reduce(
    (sum, { tensors, parameters, bytes: size }) => ({
      tensors: sum.tensors + tensors,
      parameters: sum.parameters + parameters,
      bytes: sum.bytes + size,
    }),
    { tensors: 0, parameters: 0, bytes: 0 },
  );
  const row = (name: Html, { tensors, parameters, bytes: size }: Omit<DtypeSum, 'dtype'>) => html`
<tr><th scope="row">${name}</th><td class="figure">${number(tensors)}</td><td class="figure"><data value="${parameters}" title="${number(parameters)} parameters">${formatParameters(parameters)}</data></td><td class="figure">${bytes(size)}</td></tr>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Sums by dtype"><table class="sums"><thead><tr><th>Dtype</th><th class="figure">Tensors</th><th class="figure">Parameters</th><th class="figure">Size</th></tr></thead><tbody>${rows.map(
    (sum) => row(html`<code>${sum.dtype}</code>`, sum),
  )}${rows.length > 1 && row(html`together`, total)}</tbody></table></div>`;
}

function tensorTable(tensors: readonly TensorContent[], isSharded: boolean): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Tensors"><table class="tensors"><thead><tr><th>Tensor</th><th>Dtype</th><th>Shape</th><th class="figure">Size</th><th>SHA-256</th></tr></thead><tbody>${tensors.map(
    ({ name, dtype, shape, size, file, sha256 }) => html`
<tr><td><code>${name}</code>${isSharded && html` <span class="small in">${file}</span>`}</td><td><code>${dtype}</code></td><td class="dimensions">${shapeText(shape)}</td><td class="figure">${bytes(size)}</td><td>${digest(sha256)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** `4096 × 14336`; a scalar has no side. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join(' × ');
}

function nothingShown({ release, manifest }: PublishedRelease, why: 'none' | 'too-large'): Html {
  if (why === 'none') {
    return html`<p class="empty">This release has no tensors that are known by name: none of its files is safetensors or GGUF.</p>`;
  }
  return html`<p class="empty">The signed inventory of this release has ${bytes(manifest.tensors!.size)}, which is more than a page can show. <a href="${apiOf(release, 'tensors.json')}">Download it</a>, or let the command line read it:</p>
${command(`weighhouse inspect ${formatReleaseName(release)}`)}`;
}
