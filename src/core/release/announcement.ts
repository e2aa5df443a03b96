/**
 * Announcements: what a namespace says in public about a release that is not there yet. The
 * statement is a DSSE envelope of type `application/vnd.weighhouse.announcement.v1+json`, signed
 * by a release manager, over canonical JSON
 *
 *     {"announcement":"postponed","date":null,"nonce":"5f…","origin":"models.example.org",
 *      "reason":"More safety tests","release":"acme/kimi-k2@v1.0",
 *      "time":"2026-02-01T12:00:00.000Z","v":1}
 *
 * `announced` names the date; `postponed` names a new one, or null for until further notice.
 * It never names D: the digest of a draft is secret. It tells people something and stops
 * nothing; the decision `postpone` does that.
 */
import * as v from 'valibot';
import { CodedError } from '../error.ts';
import { formatCanonical, parseCanonical } from '../json.ts';
import { ANNOUNCEMENTS, type EntryOf } from '../log/entry.ts';
import { hex32, instant, parseShape } from '../shape.ts';
import { reason } from '../statement/decision-context.ts';
import type { Envelope } from '../statement/dsse.ts';
import type { Checking } from '../statement/signature.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { formatReleaseName, parseReleaseName } from './name.ts';
import { personWhoSigned, type Speakers } from './signed-by.ts';

/** The DSSE payload type of an announcement. */
export const ANNOUNCEMENT_PAYLOAD_TYPE = 'application/vnd.weighhouse.announcement.v1+json';
const ANNOUNCING_ROLE = 'release-manager';

const announcementSchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  release: v.string(),
  announcement: v.picklist(ANNOUNCEMENTS),
  date: v.nullable(instant),
  reason: v.exactOptional(reason),
  time: instant,
  nonce: hex32,
});

export type Announcement = v.InferOutput<typeof announcementSchema>;

/** Canonical bytes of an announcement. */
export function formatAnnouncement(announcement: Announcement): Uint8Array {
  const bytes = formatCanonical(announcement);
  parseAnnouncement(bytes);
  return bytes;
}

/** Parses the payload of an announcement's envelope. Throws `bad-json`, `bad-document`, `bad-name`. */
export function parseAnnouncement(bytes: Uint8Array): Announcement {
  const what = 'the announcement';
  const announcement = parseShape(announcementSchema, parseCanonical(bytes, what), what);
  if (formatReleaseName(parseReleaseName(announcement.release)) !== announcement.release) {
    throw new CodedError('bad-document', `${what}: release is not in its normal form`);
  }
  if (announcement.announcement === 'announced' && announcement.date === null) {
    throw new CodedError('bad-document', `${what} names no date`);
  }
  return announcement;
}

/**
 * The announcement in an envelope that a release manager signed. Malformed ones throw; refused
 * are another type (`untrusted`) and anybody else's signature (`signature-invalid`).
 */
export async function openAnnouncement(
  host: Checking,
  speakers: Speakers,
  envelope: Envelope,
): Promise<Verdict<{ readonly announcement: Announcement; readonly person: string }>> {
  if (envelope.payloadType !== ANNOUNCEMENT_PAYLOAD_TYPE) {
    return refusal('untrusted', `an announcement has the type ${ANNOUNCEMENT_PAYLOAD_TYPE}`);
  }
  const announcement = parseAnnouncement(envelope.payload);
  const { origin, namespace } = speakers.policy;
  const isTheirs = parseReleaseName(announcement.release).namespace === namespace;
  if (announcement.origin !== origin || !isTheirs) {
    return refusal('untrusted', `the announcement is not of ${namespace} at ${origin}`);
  }
  const person = await personWhoSigned(host, speakers, ANNOUNCING_ROLE, envelope);
  if (person !== undefined) return { ok: true, announcement, person };
  return refusal(
    'signature-invalid',
    `the announcement is not signed by a ${ANNOUNCING_ROLE} of ${namespace}`,
  );
}

/** Does the log's entry say what the signed announcement says? */
export function isEntryOf(
  entry: Pick<EntryOf<'announcement'>, 'release' | 'announcement' | 'date'>,
  said: Announcement,
): boolean {
  const { release, announcement, date } = said;
  return entry.release === release && entry.announcement === announcement && entry.date === date;
}
