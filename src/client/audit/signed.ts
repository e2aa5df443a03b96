/** Reads the envelopes behind announcements and voids; nothing in them is believed here. */
import * as v from 'valibot';
import { parseBase64 } from '../../core/bytes.ts';
import { base64 } from '../../core/shape.ts';
import type { Api } from '../api.ts';

/** Bytes of one envelope. */
const MAX_ENVELOPE_BYTES = 2 ** 20;

const announcement = v.object({ envelope: base64(MAX_ENVELOPE_BYTES) });
const voided = v.object({ signed: v.array(base64(MAX_ENVELOPE_BYTES)) });

/** The envelope of the announcement at that index of the log. */
export async function readAnnouncement(
  { http }: Api,
  index: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const path = `/api/v1/announcements/${index}`;
  return parseBase64((await http.json(announcement, { path, signal })).envelope);
}

/** The envelopes over the void at that index of the log. */
export async function readVoid(
  { http }: Api,
  index: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const path = `/api/v1/voids/${index}`;
  return (await http.json(voided, { path, signal })).signed.map(parseBase64);
}
