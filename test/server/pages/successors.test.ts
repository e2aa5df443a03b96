/** Advisories are prose: a successor is only what is named in it and is here. */
import { expect, test } from '@jest/globals';
import { formatReleaseName, parseReleaseName } from '../../../src/core/release/name.ts';
import type { CatalogueRelease } from '../../../src/index/catalogue.ts';
import { successorOf } from '../../../src/server/pages/successors.ts';

const HERE = ['acme/tiny@v1', 'acme/tiny@v2', 'acme/tiny@1.1', 'acme/tiny@2', 'other/model@v3'];

const find = (release: ReturnType<typeof parseReleaseName>) => {
  const is = HERE.includes(formatReleaseName(release));
  return is ? ({ release } as CatalogueRelease) : undefined;
};

function successor(summary: string, kind: 'superseded' | 'security' = 'superseded') {
  const advisories = [{ index: 1, kind, summary, time: '2026-01-01T00:00:00.000Z' }];
  const found = successorOf({ release: parseReleaseName('acme/tiny@v1'), advisories }, find);
  return found && formatReleaseName(found);
}

test.each([
  ['Use acme/tiny@v2.', 'acme/tiny@v2'],
  ['superseded by v2', 'acme/tiny@v2'],
  ['1.1 mends the tokenizer (all of it)', 'acme/tiny@1.1'],
  ['moved: other/model@v3, for good', 'other/model@v3'],
  ['v1 is old; take v2', 'acme/tiny@v2'],
  ['it has 2 faults', undefined],
  ['use v9', undefined],
  ['use nobody/else@v1 or @ or a@b@c', undefined],
  ['see https://elsewhere.example/v2', undefined],
])('%j names %s', (summary, name) => {
  expect(successor(summary)).toBe(name);
});

test('another kind of advisory names none', () => {
  expect(successor('use v2', 'security')).toBeUndefined();
});
