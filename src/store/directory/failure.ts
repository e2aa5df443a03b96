/** What the operating system refused, as one of our errors. */
import { CodedError, messageOf } from '../../core/error.ts';

/** The errno name of a failed system call (`ENOENT`, …), or undefined for any other error. */
export function errno(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** True when `error` is one of these failed system calls. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  const name = errno(error);
  return name !== undefined && names.includes(name);
}

/** No space, or none for this user: passes by itself when somebody frees some. */
export function isDiskFull(error: unknown): boolean {
  return isErrno(error, 'ENOSPC', 'EDQUOT');
}

/** `error` as a CodedError; `doing` completes "cannot …". One that is coded already stays as it is. */
export function storageFailure(doing: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  if (isDiskFull(error)) {
    return new CodedError(
      'disk-full',
      `cannot ${doing}: the disk is full; free some space, nothing else is needed`,
      {},
      { cause: error },
    );
  }
  const why = errno(error) ?? messageOf(error);
  return new CodedError('storage', `cannot ${doing}: ${why}`, {}, { cause: error });
}
