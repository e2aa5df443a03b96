/** What changed between two releases of a model: files, tensors, and where in the model they are. */
import { formatCount } from '../../../core/amounts.ts';
import { formatReleaseName, type ReleaseName } from '../../../core/release/name.ts';
import {
  type Change,
  compareFiles,
  type Fate,
  type FileContent,
  fateOf,
  type TensorContent,
} from '../../../core/weights/compare.ts';
import type { PublishedRelease } from '../../../registry/registry.ts';
import { TENSORS_A_PAGE, type TensorDifference } from '../../tensors/shelf.ts';
import { diffPage, releasePage } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { bytes, command, digest, facts, number } from '../pieces.ts';
import { pages } from './files.ts';
import { layerPictures } from './layers.ts';
import { path } from './path.ts';
import { shapeText } from './tensors.ts';

/** Files of a difference that are listed. */
const FILES_SHOWN = 200;

export interface DiffShown {
  readonly after: PublishedRelease;
  /** Undefined for the first release of a model. */
  readonly before: PublishedRelease | undefined;
  /** What it can be compared with, newest first. */
  readonly versions: readonly ReleaseName[];
  /** Undefined without `before`. */
  readonly tensors: TensorDifference | 'none' | 'too-large' | undefined;
  /** Of the tensors, from 1. */
  readonly page: number;
}

export function diffView(shown: DiffShown): Page {
  const { after, before, page } = shown;
  const { release } = after;
  const reference = formatReleaseName(release);
  const since = before === undefined ? '' : ` since ${before.release.version}`;
  return {
    title: `What changed in ${reference}${since}`,
    description: `Files and tensors of ${reference} that differ${since && ` from ${before!.release.version}`}.`,
    path: before === undefined ? `${releasePage(release)}/diff` : diffPage(release, before.release),
    ...(page === 1 ? {} : { unlisted: true }),
    body: html`
${path(release)}
<h1>What changed <span class="version">${before && html`${before.release.version} → `}${release.version}</span></h1>
${chooser(shown)}
${before === undefined ? first() : before.digest === after.digest ? same() : difference({ ...shown, before })}`,
  };
}

/** Which version it is compared with; without a script, too. */
function chooser({ after, before, versions }: DiffShown): Html | undefined {
  const others = versions.filter(({ version }) => version !== after.release.version);
  if (others.length === 0) return undefined;
  return html`<form class="choose" action="${releasePage(after.release)}/diff"><label>Compared with <select name="since">${others.map(
    ({ version }) =>
      html`<option${version === before?.release.version ? html` selected` : undefined}>${version}</option>`,
  )}</select></label> <button class="quiet">Compare</button></form>`;
}

function first(): Html {
  return html`<p class="empty">Nothing was released of this model before: there is nothing to compare it with.</p>`;
}

function same(): Html {
  return html`<p class="empty">That is the same release, byte for byte: nothing differs from itself.</p>`;
}

function difference(shown: DiffShown & { readonly before: PublishedRelease }): Html {
  const { before, after, tensors } = shown;
  const files = compareFiles(before.manifest.files, after.manifest.files);
  const known = typeof tensors === 'object' ? tensors : undefined;
  return html`
${facts([
  ['Before', sideOf(before)],
  ['After', sideOf(after)],
  ['Files', counted(countFates(files), after.manifest.files.length - countAfter(files))],
  known && ['Tensors', counted(known.counts, known.same)],
])}
${known && html`<h2>Where in the model</h2>${layerPictures(known.layers)}`}
<h2>Files</h2>
${fileChanges(files, known)}
<h2>Tensors</h2>
${known === undefined ? noTensors(shown) : tensorChanges(shown, known)}
<h2>The same on the command line</h2>
${command(`weighhouse diff ${formatReleaseName(before.release)} ${formatReleaseName(after.release)}`)}`;
}

function sideOf({ release, digest: of, manifest }: PublishedRelease): Html {
  return html`<a href="${releasePage(release)}">${release.version}</a> ${digest(of)} <span class="small">${bytes(manifest.size)} in ${formatCount(manifest.files.length, 'file')}</span>`;
}

const FATES: readonly Fate[] = ['changed', 'added', 'removed'];

/** `3 changed, 1 added, 120 the same`. */
function counted(counts: Readonly<Record<Fate, number>>, same: number): string {
  const parts = FATES.filter((fate) => counts[fate] > 0).map(
    (fate) => `${number(counts[fate])} ${fate}`,
  );
  if (parts.length === 0) return `all ${number(same)} are the same`;
  return [...parts, `${number(same)} the same`].join(', ');
}

function countFates(changes: readonly Change<unknown>[]): Record<Fate, number> {
  const counts = { changed: 0, added: 0, removed: 0 };
  for (const change of changes) counts[fateOf(change)]++;
  return counts;
}

function countAfter(changes: readonly Change<unknown>[]): number {
  return changes.filter(({ after }) => after !== undefined).length;
}

function fileChanges(
  changes: readonly Change<FileContent>[],
  tensors: TensorDifference | undefined,
): Html {
  if (changes.length === 0) return html`<p>Every file is the same.</p>`;
  const more = changes.length - FILES_SHOWN;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Files that differ"><table class="changes"><thead><tr><th>File</th><th>What</th><th class="figure">Size</th><th>SHA-256</th></tr></thead><tbody>${changes
    .slice(0, FILES_SHOWN)
    .map((change) => {
      const { name, before, after } = change;
      const isExplained = fateOf(change) === 'changed' && (tensors?.files.has(name) ?? false);
      return html`
<tr><td>${name}</td><td>${fateBadge(change)}${isExplained && html` <span class="small">its tensors</span>`}</td><td class="figure">${turn(before && bytes(before.size), after && bytes(after.size), before?.size === after?.size)}</td><td>${digest((after ?? before).sha256)}</td></tr>`;
    })}</tbody></table></div>
${more > 0 && html`<p class="small">And ${number(more)} more, which the command below lists.</p>`}`;
}

function tensorChanges({ before, after, page }: DiffShown, tensors: TensorDifference): Html {
  const { counts, changes } = tensors;
  const count = counts.changed + counts.added + counts.removed;
  if (count === 0) return html`<p>Every tensor is the same, wherever it lies.</p>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Tensors that differ"><table class="changes"><thead><tr><th>Tensor</th><th>What</th><th>Dtype and shape</th><th class="figure">Size</th><th>SHA-256</th></tr></thead><tbody>${changes.map(
    (change) => html`
<tr><td><code>${change.name}</code></td><td>${fateBadge(change)}</td><td>${kinds(change)}</td><td class="figure">${bytes((change.after ?? change.before).size)}</td><td>${digest((change.after ?? change.before).sha256)}</td></tr>`,
  )}</tbody></table></div>
${pages(diffPage(after.release, before!.release), page, Math.ceil(count / TENSORS_A_PAGE))}`;
}

function noTensors({ after, before, tensors }: DiffShown): Html {
  if (tensors === 'too-large') {
    return html`<p class="empty">These releases have more tensors than a page can compare. The command below compares them on your machine, out of the signed inventories.</p>`;
  }
  const without = [before, after].flatMap((side) =>
    side === undefined || side.manifest.tensors !== undefined ? [] : [side.release.version],
  );
  return html`<p class="empty">There is nothing to compare: ${without.join(' and ')} ${without.length === 1 ? 'has' : 'have'} no tensors that are known by name.</p>`;
}

function fateBadge(change: Change<unknown>): Html {
  const fate = fateOf(change);
  return html`<span class="fate ${fate}">${fate}</span>`;
}

/** What a tensor is, and was where that is something else. */
function kinds({ before, after }: Change<TensorContent>): Html {
  const [was, is] = [before && kindOf(before), after && kindOf(after)];
  return turn(was, is, was === is);
}

function kindOf({ dtype, shape }: TensorContent): string {
  return `${dtype} ${shapeText(shape)}`;
}

function turn(
  before: Html | string | undefined,
  after: Html | string | undefined,
  isSame: boolean,
): Html {
  if (before === undefined || after === undefined || isSame) return html`${after ?? before}`;
  return html`${before} → ${after}`;
}
