/**
 * The device code of RFC 8628: what a machine polls with, while a person lets it in with the short
 * code that it shows. It is signed (`jwt.ts` says what all tokens share), so that a server knows its own
 * without having kept it, and says where to look for the answer: under the fingerprint of the short one.
 */
import * as v from 'valibot';
import { commonClaims, openJwt, refusedToken, signJwt, type TokenKey } from './jwt.ts';

const DEVICE_CODE = 'weighhouse-device-code+jwt';
/** Seconds that an expired code is still known as one, so that whoever polls hears why it is of no use. */
const KNOWN_SECONDS = 3600;

export interface DeviceCode {
  readonly id: string;
  /** Of the user code, 64 hex digits. */
  readonly fingerprint: string;
  /** Seconds since 1970 at which both codes end. */
  readonly expires: number;
}

const codeSchema = v.object({
  ...commonClaims,
  code: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  until: v.number(),
});

export async function issueDeviceCode(
  issuer: TokenKey,
  { fingerprint, expires }: Omit<DeviceCode, 'id'>,
  now: number,
): Promise<string> {
  const seconds = expires - Math.floor(now / 1000) + KNOWN_SECONDS;
  const claims = { code: fingerprint, until: expires };
  return (await signJwt(issuer, DEVICE_CODE, 'device', claims, seconds, now)).token;
}

/** Throws `not-authorised` for what is no device code of ours. Whether it has ended is for its opener to see. */
export async function openDeviceCode(
  issuer: TokenKey,
  code: string,
  now: number,
): Promise<DeviceCode> {
  const { payload, typ } = await openJwt(issuer, code, now);
  const claims = v.safeParse(codeSchema, payload);
  if (typ !== DEVICE_CODE || !claims.success) throw refusedToken('this is no device code');
  const { jti, code: fingerprint, until } = claims.output;
  return { id: jti, fingerprint, expires: until };
}
