/**
 * The code that a person carries from a machine to a browser (RFC 8628, section 6.1): eight of twenty
 * letters, without vowels, so that it spells no word, and without what is mistaken for something else.
 * `WDJB-MJHT`; small letters, spaces and what else people put in between mean the same.
 */
import { createHash, randomInt } from 'node:crypto';

const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;

declare const brand: unique symbol;
export type UserCode = string & { readonly [brand]: 'UserCode' };

/** 34 bits of chance: what `device-logins.ts` lets be tried guesses none of them. */
export function makeUserCode(): UserCode {
  const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]!);
  return formatted(letters.join(''));
}

/** What somebody typed; undefined for what no code can be. */
export function parseUserCode(text: string): UserCode | undefined {
  const letters = text.toUpperCase().replaceAll(/[\s_.-]/g, '');
  const isCode = letters.length === LENGTH && [...letters].every((each) => LETTERS.includes(each));
  return isCode ? formatted(letters) : undefined;
}

/** What the store knows a code by. */
export function fingerprintOf(code: UserCode): string {
  return createHash('sha256').update(`weighhouse/user-code/v1\n${code}`).digest('hex');
}

function formatted(letters: string): UserCode {
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}` as UserCode;
}
