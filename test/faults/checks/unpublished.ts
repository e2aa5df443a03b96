/**
 * Nothing that nobody asked to publish is readable: no public route has it, no list names it,
 * and no answer holds a byte of its files.
 */
import { unreachable } from '../../../src/client/http.ts';
import { RELEASE_DOCUMENTS } from '../load/documents.ts';
import type { Journal, JournalRelease } from '../load/journal.ts';
import { readmeOf } from '../load/push.ts';

/** Sentences about what the server at `url` shows of them; none when all is well. */
export async function findUnpublished(url: string, journal: Journal): Promise<readonly string[]> {
  // Once it was asked for it may be public, and the comparison with the journal looks at it.
  const hidden = journal.releases.filter(({ asked }) => !asked);
  const found = await Promise.all(hidden.map((line) => shownOf(url, line)));
  return found.flat();
}

async function shownOf(url: string, line: JournalRelease): Promise<readonly string[]> {
  const [model, version] = line.reference.split('@') as [string, string];
  const at = [version, ...(line.digest === undefined ? [] : [line.digest])];
  const routes = at.flatMap((name) => RELEASE_DOCUMENTS.map((rest) => `${model}/${name}${rest}`));
  const shown = await Promise.all(
    routes.map(async (route) => {
      const { status, text } = await get(`${url}/api/v1/releases/${route}`);
      return status === 404 && !text.includes(readmeOf(line.reference))
        ? []
        : [`${route}: ${status}`];
    }),
  );
  const [namespace] = model.split('/');
  const lists = [
    `releases?namespace=${namespace}`,
    `releases/${model}`,
    `releases/${model}/history`,
  ];
  const named = await Promise.all(
    lists.map(async (list) => {
      const { text } = await get(`${url}/api/v1/${list}`);
      const isNamed =
        text.includes(`"${line.reference}"`) || (line.digest && text.includes(line.digest));
      return isNamed ? [`${list} names it`] : [];
    }),
  );
  return [...shown, ...named].flat().map((what) => `${line.reference} is not published; ${what}`);
}

async function get(url: string): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw unreachable(url, error);
  }
}
