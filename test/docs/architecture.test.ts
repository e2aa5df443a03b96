/** The pages that lead through the repository: whatever they name must be there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const repository = new URL('../../', import.meta.url);
const read = (page: string) => readFileSync(new URL(page, repository), 'utf8');
const isThere = (path: string, base = repository) => existsSync(new URL(path, base));

/** The blocks between fences, and the page without them. */
function parts(page: string): { readonly blocks: string[]; readonly prose: string } {
  const fenced = /^```[^\n]*\n(.*?)^```$/gms;
  const text = read(page);
  return {
    blocks: [...text.matchAll(fenced)].map((it) => it[1]!),
    prose: text.replace(fenced, ''),
  };
}

/** What stands in backticks and begins with a folder of the repository, or is a page of its root. */
function namedPaths(page: string): string[] {
  const quoted = [...parts(page).prose.matchAll(/`([^`\s]+)`/g)].map((it) => it[1]!);
  return quoted.filter((it) => /^(src|test|docs|scripts|bin|keys)\/|^[A-Z]+\.md$/.test(it));
}

/** Targets of links that stay within the repository, as seen from its root. */
function linkedPaths(page: string): string[] {
  const targets = [...parts(page).prose.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map((it) => it[1]!);
  return targets
    .filter((it) => !/^[a-z]+:/.test(it))
    .map((it) => new URL(it, new URL(page, repository)).pathname.slice(repository.pathname.length));
}

/** Every page of the repository. */
const PAGES = [
  ...readdirSync(repository).filter((name) => name.endsWith('.md')),
  ...readdirSync(new URL('docs/', repository), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'keys/README.md',
  'keys/policies/README.md',
  'test/faults/README.md',
];

describe.each(PAGES)('%s', (page) => {
  test('names and links only what is in the repository', () => {
    const missing = [...namedPaths(page), ...linkedPaths(page)].filter((path) => !isThere(path));
    expect(missing).toEqual([]);
  });
});

test('every page is linked from README.md, and every decision from ARCHITECTURE.md', () => {
  const linked = new Set(['README.md', ...linkedPaths('README.md')]);
  const decisions = linkedPaths('ARCHITECTURE.md');
  const lost = PAGES.filter((page) =>
    page.startsWith('docs/adr/') ? !decisions.includes(page) : !linked.has(page),
  );
  expect(lost).toEqual([]);
});

test('ARCHITECTURE.md names every folder of the repository', () => {
  const listed = [...read('ARCHITECTURE.md').matchAll(/^\| `([a-z]+)\/` \|/gm)].map((it) => it[1]!);
  const folders = readdirSync(repository, { withFileTypes: true })
    .filter((it) => it.isDirectory() && /^[a-z]/.test(it.name))
    .map(({ name }) => name);
  // What git does not keep.
  const made = ['node_modules', 'dist', 'data', 'coverage', 'screenshots'];
  expect(listed.sort()).toEqual(folders.filter((name) => !made.includes(name)).sort());
});

describe('the map of ARCHITECTURE.md', () => {
  const { blocks } = parts('ARCHITECTURE.md');
  const [map] = blocks;
  const src = new URL('src/', repository);

  /** The first word of each line that is indented by `depth`. */
  const listed = (depth: number) =>
    [...map!.matchAll(new RegExp(`^ {${depth}}([\\w./-]+)`, 'gm'))].map((it) => it[1]!);
  /** What is in a folder; a folder's name ends in a slash. */
  const found = (folder: URL) =>
    readdirSync(folder, { withFileTypes: true }).map(
      (it) => it.name + (it.isDirectory() ? '/' : ''),
    );

  test('has every room of src and no other', () => {
    expect(listed(0).sort()).toEqual(found(src).sort());
  });

  test.each(['core', 'browser', 'oidc'])('has every folder of %s and no other', (room) => {
    const [, below = ''] = new RegExp(`^${room}/.*\n((?: {2}.*\n)*)`, 'm').exec(map!) ?? [];
    const named = [...below.matchAll(/^ {2}([\w-]+\/)/gm)].map((it) => it[1]!);
    const folders = found(new URL(`${room}/`, src)).filter((name) => name.endsWith('/'));
    expect(named.sort()).toEqual(folders.sort());
  });

  test('and the ways through it name only files that are there', () => {
    const files = blocks
      .slice(1)
      .flatMap((block) => block.match(/[\w-]+(\/[\w-]+)*\/[\w-]+\.ts/g) ?? []);
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((path) => !isThere(path, src))).toEqual([]);
  });
});
