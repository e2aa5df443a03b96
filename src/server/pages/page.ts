/** What a page is about, out of its address. */
import type { Request } from 'express';
import {
  formatModel,
  parseModel,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';

/** The release that a path names. Throws `bad-name`, `bad-reference`. */
export function releaseOf({ params }: Request): ReleaseName {
  const model = parseModel(`${params.namespace}/${params.name}`);
  return parseReleaseName(`${formatModel(model)}@${params.version}`);
}
