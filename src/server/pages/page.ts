/** How pages are added, and how their addresses name what they are about. */
import type { Request } from 'express';
import {
  formatModel,
  parseModel,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import type { Page } from './layout.ts';

/** Adds a page at a path of Express’s. */
export type AddPage = (path: string, make: (request: Request) => Page | Promise<Page>) => void;

/** The release that a path names. Throws `bad-name`, `bad-reference`. */
export function releaseOf({ params }: Request): ReleaseName {
  const model = parseModel(`${params.namespace}/${params.name}`);
  return parseReleaseName(`${formatModel(model)}@${params.version}`);
}
