/** Sizes, durations and times as people write them. */
import { CodedError } from '../core/error.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** The longest duration that an option takes: ten years, in seconds. */
export const MAX_DURATION = 3_650 * SECONDS.d;

/** Parses `90s`, `30m`, `1h`, `7d` to seconds. Throws `usage`; `option` names it. */
export function parseDuration(text: string, option: string): number {
  const match = /^([1-9][0-9]{0,9})([smhd])$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
  if (seconds > 0 && seconds <= MAX_DURATION) return seconds;
  throw new CodedError(
    'usage',
    `${option} takes a duration like 90s, 30m, 1h or 7d, at most ten years, not "${text}"`,
  );
}

/** What sizes are written in: decimal, as disks are sold, and binary. */
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  PB: 1e15,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
};

/** Parses `500GB`, `2TB`, `1.5TiB` or bare bytes. Throws `usage`; `option` names it. */
export function parseBytes(text: string, option: string): number {
  const [, number = '', unit = 'B'] =
    /^([0-9]{1,16}(?:\.[0-9]{1,3})?) ?([KMGTP]i?B|B)?$/.exec(text) ?? [];
  const bytes = number === '' ? Number.NaN : Math.floor(Number(number) * UNITS[unit]!);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new CodedError(
    'usage',
    `${option} takes a size like 500GB, 2TB or 1.5TiB, not "${text.slice(0, 40)}"`,
  );
}

/** The highest rate that an option takes: no store is as fast. */
export const MAX_RATE = 1e12;

/** Parses `50MB/s`, `800KiB/s` to bytes a second; `0` is 0. Throws `usage`; `option` names it. */
export function parseRate(text: string, option: string): number {
  if (text === '0') return 0;
  const match = /^([1-9][0-9]{0,5})(B|kB|MB|GB|KiB|MiB|GiB)(?:\/s)?$/.exec(text);
  const rate = match === null ? 0 : Number(match[1]) * UNITS[match[2]!]!;
  if (rate > 0 && rate <= MAX_RATE) return rate;
  throw new CodedError(
    'usage',
    `${option} takes a rate like 800kB/s, 50MB/s or 1GiB/s, not "${text.slice(0, 40)}"`,
  );
}

/** Parses a whole number that an argument or option gives. Throws `usage`. */
export function parseCount(text: string, what: string): number {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new CodedError('usage', `${what} is a whole number, not "${text.slice(0, 40)}"`);
}

/** Parses a date or a time in UTC: `2026-12-01`, `2026-12-01T09:00:00Z`. Throws `usage`. */
export function parseInstant(text: string, option: string): string {
  const isDate = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text);
  const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?Z$/.test(
    text,
  );
  const time = Date.parse(isDate ? `${text}T00:00:00Z` : text);
  // A day that no month has is moved to the next one by some, and refused by us.
  const instant = Number.isNaN(time) ? '' : new Date(time).toISOString();
  if ((isDate || isTime) && instant.startsWith(text.slice(0, 10))) return instant;
  throw new CodedError(
    'usage',
    `${option} takes a date or a time in UTC, like 2026-12-01 or 2026-12-01T09:00:00Z, not "${text.slice(0, 40)}"`,
  );
}
