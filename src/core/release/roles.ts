/** Roles of people in a namespace and of tokens, and the ids of people who have them. */
import * as v from 'valibot';
import { parseShape } from '../shape.ts';

export const ROLES = [
  'owner',
  'publisher',
  'evaluator',
  'reviewer',
  'release-manager',
  'reader',
] as const;
export type Role = (typeof ROLES)[number];

/** Roles that make and publish releases, and that give up what is not published. */
export const PUBLISHING: readonly Role[] = ['publisher', 'release-manager', 'owner'];

/** Roles that take part in releases: all but that of a reader, who gets their bytes and no more. */
export const TAKING_PART: readonly Role[] = ROLES.filter((role) => role !== 'reader');

/** The id of a person: short, stable, and public. */
export const personId = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be a-z, 0-9, ".", "_", "-", at most 63'),
);

/** Parses a person's id; throws `bad-name`. */
export function parsePersonId(text: string): string {
  return parseShape(personId, text, 'the person’s id', 'bad-name');
}
