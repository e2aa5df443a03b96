/**
 * The script of a release's page: checks the release in the reader's browser, shows each step, and
 * then offers to compare the reader's own copy. What it needs of the page is one element:
 *
 *     <section id="proof" data-reference="acme/tiny@v1" data-digest="sha256:…">
 */

import { parseRegistryUrl } from '../client/http.ts';
import { MemoryPins } from '../client/pins.ts';
import { PublicApi } from '../client/public-api.ts';
import { digestBytes, parseDigest } from '../core/digest.ts';
import { chunkCount, parseChunkList } from '../core/release/chunks.ts';
import { findFile, type Manifest } from '../core/release/manifest.ts';
import { parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import { browserHost } from './check/host.ts';
import { checkRelease } from './check/release.ts';
import { StoredPins } from './check/stored-pins.ts';
import type { ReleaseFiles } from './files/release-files.ts';
import { element } from './panel/element.ts';
import { StepList, summaryOf } from './panel/steps.ts';

/** Answers that change: a browser must not give them out of its own cache. */
const CHANGING = /^\/(?:log\/checkpoint|\.well-known\/|api\/v1\/namespaces\/)/;

const section = document.querySelector<HTMLElement>('#proof');
if (section !== null) void show(section);

async function show(panel: HTMLElement): Promise<void> {
  const { reference = '', digest } = panel.dataset;
  const release = parseReleaseName(reference);
  for (const instead of panel.querySelectorAll('.no-script')) instead.remove();
  const summary = element('p', { class: 'summary', role: 'status' });
  const steps = new StepList();
  panel.append(summary, steps.element);
  if (globalThis.crypto?.subtle === undefined) {
    summary.textContent = `A browser checks signatures only on pages that came over https. Run: weighhouse verify ${reference}`;
    return;
  }
  const host = browserHost(crypto.subtle);
  const api = new PublicApi({ url: parseRegistryUrl(location.origin), fetch: uncached });
  const memory = memoryOf();
  const reader = { host, api, pins: memory ?? new MemoryPins(), clock: Date.now };
  const asked = { release, digest: digest === undefined ? undefined : parseDigest(digest) };
  const checked = await checkRelease(reader, asked, {
    report: (all) => {
      steps.show(all);
      const { text, isBad } = summaryOf(all);
      if (summary.textContent !== text) summary.textContent = text;
      summary.classList.toggle('bad', isBad);
    },
    firstSeen: async (origin) => memory?.since(origin),
  });
  panel.dataset.checked = checked.steps.some(({ state }) => state === 'failed') ? 'bad' : 'good';
  panel.append(limits(reference, checked.unwitnessed, memory !== undefined));
  if (checked.manifest === undefined) return;
  const { showFiles } = await import('./files.js');
  showFiles(panel, filesOf(api, host, release, reference, checked.manifest));
}

/** What nobody may conclude from it. */
function limits(reference: string, unwitnessed: boolean, remembers: boolean): HTMLElement {
  const same = unwitnessed
    ? ' that everybody is shown the same log, as no witness cosigns it;'
    : '';
  const memory = remembers
    ? ''
    : ' This browser keeps no memory for this page, so it cannot notice a log that went back.';
  return element(
    'p',
    { class: 'small limits' },
    `What this does not show: that the weights are safe, correct or useful;${same} or that this page’s own script, which came from the same server, is the one that everybody gets. `,
    element('code', {}, `weighhouse pull ${reference}`),
    ` checks all of it with a program of your own.${memory}`,
  );
}

/** What this browser remembers; undefined where it keeps nothing for this page. */
function memoryOf(): StoredPins | undefined {
  try {
    return new StoredPins(localStorage, Date.now);
  } catch {
    return undefined;
  }
}

function uncached(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const { pathname } = new URL(String(input));
  return fetch(input, CHANGING.test(pathname) ? { ...init, cache: 'no-cache' } : init);
}

function filesOf(
  api: PublicApi,
  host: ReturnType<typeof browserHost>,
  release: ReleaseName,
  reference: string,
  manifest: Manifest,
): ReleaseFiles {
  return {
    reference,
    files: manifest.files,
    find: (path) => findFile(manifest, path),
    async chunksOf({ path, size, sha256 }) {
      const { chunks } = findFile(manifest, path)!;
      const count = chunkCount(size, chunks.size);
      // The list of a single chunk stands in the manifest: it is the digest of the file.
      const list = count > 1 ? await api.chunkList(release, path) : digestBytes(sha256);
      return parseChunkList(
        host,
        list.subarray(0, count === 0 ? 0 : undefined),
        size,
        chunks,
        path,
      );
    },
    urlOf: ({ path }) => api.fileUrl(release, path),
  };
}
