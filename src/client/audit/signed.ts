/** Reads the envelopes behind announcements and voids; nothing in them is believed here. */
import * as v from 'valibot';
import type { Json } from '../../core/json.ts';
import { envelopeFromJson, formatEnvelope } from '../../core/statement/dsse.ts';
import type { PublicApi } from '../public-api.ts';

const announcement = v.object({ envelope: v.unknown() });
const voided = v.object({ signed: v.array(v.unknown()) });

/** The envelope of the announcement at that index of the log, in its canonical bytes. */
export async function readAnnouncement(
  { http }: PublicApi,
  index: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const path = `/api/v1/announcements/${index}`;
  const { envelope } = await http.json(announcement, { path, signal });
  return canonical(envelope, 'the announcement');
}

/** The envelopes over the void at that index of the log, in their canonical bytes. */
export async function readVoid(
  { http }: PublicApi,
  index: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const path = `/api/v1/voids/${index}`;
  const { signed } = await http.json(voided, { path, signal });
  return signed.map((envelope, i) => canonical(envelope, `signed.${i}`));
}

function canonical(json: unknown, what: string): Uint8Array {
  const { payloadType, payload, signature } = envelopeFromJson(json as Json, what);
  return formatEnvelope(payloadType, payload, signature);
}
