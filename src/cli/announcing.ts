/** Signs an announcement as a release manager and has it logged, in clear. */
import { randomBytes } from 'node:crypto';
import { pinOf } from '../client/trust.ts';
import { ANNOUNCEMENT_PAYLOAD_TYPE, formatAnnouncement } from '../core/release/announcement.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { toSign } from '../core/statement/dsse.ts';
import type { Context } from './context.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { openPins } from './pins.ts';
import { openApiWithToken } from './reach.ts';
import { openSigner } from './signer.ts';

export interface Announced {
  readonly release: ReleaseName;
  readonly announcement: 'announced' | 'postponed';
  /** An instant; null until further notice. */
  readonly date: string | null;
  readonly reason?: string | undefined;
}

/** Signs and sends; gives the index in the log. */
export async function sendAnnouncement(
  context: Context,
  flags: PassphraseFlags,
  { release, announcement, date, reason }: Announced,
): Promise<number> {
  const { signal, clock } = context;
  const api = await openApiWithToken(context);
  const { origin } = await pinOf(api, openPins(context), signal);
  const signer = await openSigner(context, flags);
  const payload = formatAnnouncement({
    v: 1,
    origin,
    release: formatReleaseName(release),
    announcement,
    date,
    ...(reason === undefined ? {} : { reason }),
    time: new Date(clock()).toISOString(),
    nonce: randomBytes(32).toString('hex'),
  });
  const payloadType = ANNOUNCEMENT_PAYLOAD_TYPE;
  const signature = await signer.sign(toSign(payloadType, payload));
  const { index } = await api.announce({ payloadType, payload, signature }, { signal });
  return index;
}
