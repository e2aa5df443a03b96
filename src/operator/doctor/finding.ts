/** What the doctor has to say of one thing: how it is, what that means, and what to do. */
import { messageOf } from '../../core/error.ts';

export type Status = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly check: string;
  readonly status: Status;
  /** What was found, in one sentence. */
  readonly says: string;
  /** What to do; with everything that is not ok. */
  readonly todo?: string;
}

export function ok(check: string, says: string): Finding {
  return { check, status: 'ok', says };
}

export function warning(check: string, says: string, todo: string): Finding {
  return { check, status: 'warning', says, todo };
}

export function failed(check: string, says: string, todo: string): Finding {
  return { check, status: 'failed', says, todo };
}

/** What `look` finds; a failure to look is a finding too. */
export async function looking(
  check: string,
  todo: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failed(check, messageOf(error), todo)];
  }
}
