/** Pages of the documentation whose commands are typed as they stand there. */
import { readFileSync } from 'node:fs';

/** The lines to type of a page of docs/, by the heading under which they stand. */
export function linesToType(page: string): Map<string, string[]> {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => [
      section.slice(0, section.indexOf('\n')),
      [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
        block!.trimEnd().split('\n'),
      ),
    ]),
  );
}
