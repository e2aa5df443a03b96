/**
 * Waits until a person has let this machine in (RFC 8628, section 3.4): asks again and again, as slowly as
 * it is told, until there is an answer or the codes have ended.
 */
import { CodedError, isCoded } from '../core/error.ts';
import type { Api } from './api.ts';

/** Seconds by which the pause grows for each `slow_down`, and for each failure of the network. */
const SLOWER = 5;

/** What the registry gave to be polled with. */
export interface DeviceCodes {
  readonly device_code: string;
  readonly interval: number;
  readonly expires_in: number;
}

export interface LoginToken {
  readonly token: string;
  /** Seconds that it lasts. */
  readonly seconds: number;
}

/** Throws `not-authorised` when the person said no, or nobody answered in time. */
export async function awaitLogin(
  api: Api,
  codes: DeviceCodes,
  clock: () => number,
  signal: AbortSignal,
): Promise<LoginToken> {
  const until = clock() + codes.expires_in * 1000;
  let pause = codes.interval;
  for (;;) {
    await api.http.pauses.sleep(pause * 1000, signal);
    // A registry that never says so, and one whose clock stands still, are left all the same.
    if (clock() >= until) throw tooLate();
    try {
      const { access_token: token, expires_in: seconds } = await api.takeDeviceToken(
        codes.device_code,
        { signal },
      );
      return { token, seconds };
    } catch (error) {
      pause += slowerBy(error);
    }
  }
}

/** Seconds; throws for what is the end of it. */
function slowerBy(error: unknown): number {
  if (!(error instanceof CodedError)) throw error;
  switch (error.details.error) {
    case 'authorization_pending':
      return 0;
    case 'slow_down':
      return SLOWER;
    case 'access_denied':
      throw new CodedError('not-authorised', 'the person at the browser said no');
    case 'expired_token':
      throw tooLate();
    default:
      // What one server cannot do now, it or another one can later.
      if (error.details.transient === true && !isCoded(error, 'interrupted')) return SLOWER;
      throw error;
  }
}

function tooLate(): CodedError {
  return new CodedError(
    'not-authorised',
    'nobody let this machine in in time; run "weighhouse login" again',
  );
}
