/** Amounts as people read them. */

const BINARY = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1536` → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = -1;
  // What rounds up to 1024 belongs to the next unit: never "1024 KiB".
  while (value >= 1023.5 && unit < BINARY.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${BINARY[unit]}`;
}

/** `7241732096` → `7.2 B`, as the sizes of models are told. */
export function formatParameters(count: number): string {
  for (const [letter, unit] of [
    ['T', 1e12],
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const) {
    if (count >= unit) return `${(count / unit).toFixed(1)} ${letter}`;
  }
  return String(count);
}

/** Seconds → `9 s`, `4 min 10 s`, `3 h 20 min`, `14 d 0 h`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const hours = Math.floor(whole / 3600);
  if (hours < 48) return `${hours} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * Milliseconds until something → `2 days 4 h`, `3 h 20 min`, `12 min`. Of the last minute the seconds
 * are told only where `finest` is `second`: what changes at each look is not for everybody.
 */
export function formatWait(milliseconds: number, finest: 'minute' | 'second' = 'minute'): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) {
    const seconds = Math.ceil(Math.max(milliseconds, 0) / 1000);
    return finest === 'second' ? `${seconds} s` : 'less than a minute';
  }
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${formatCount(Math.floor(hours / 24), 'day')} ${hours % 24} h`;
}

/** `1 file`, `3 files`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
