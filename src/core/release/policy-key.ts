/**
 * A key as it stands in a policy, and what it is to those who check signatures:
 *
 *     spki      DER in base64
 *     proof     that its holder wants it there (`enrolment.ts`): a signature by it, DER in base64
 *     passkey   only of a passkey: where it signs, and what its authenticator said of the proof
 *       rpId            the relying party's id, a host name
 *       origins         of the pages where it signs: of that host, or of one below it
 *       credentialId    base64; what names the key to its authenticator
 *       authenticatorData, clientDataJSON   base64; the proof is over these (`statement/passkey.ts`)
 *     revoked   true, for ever
 *     expires   instant from which on it signs nothing new
 *
 * The id of the credential is no secret, and with it in the policy a passkey is found from every
 * browser that can reach its authenticator, and also where its authenticator keeps no list.
 */
import * as v from 'valibot';
import { formatBase64, parseBase64 } from '../bytes.ts';
import { parseOrigin } from '../log/checkpoint.ts';
import { base64, instant } from '../shape.ts';
import { assertionMembers, parseAssertion } from '../statement/passkey.ts';
import { parseSpkiBase64, SPKI_BYTES } from '../statement/public-key.ts';
import {
  isAssertion,
  isPasskey,
  isSignature,
  MAX_SIGNATURE_BYTES,
  type Signature,
  type SigningKey,
  spkiOf,
} from '../statement/signature.ts';

/** Origins where one passkey signs: a registry that moves has two for a while. */
export const MAX_ORIGINS = 4;
/** Bytes of a credential's id (Web Authentication, section 4, "Credential ID"). */
export const MAX_CREDENTIAL_ID_BYTES = 1_023;

const HOST_AND_PORT = '(?<host>[a-z0-9.-]+)(?::(?<port>[1-9][0-9]{0,4}))?';
const WEB_ORIGIN = new RegExp(`^(?<scheme>https?)://${HOST_AND_PORT}$`);
const OWN_PORT: Readonly<Record<string, string>> = { http: '80', https: '443' };

const passkeySchema = v.pipe(
  v.strictObject({
    rpId: v.pipe(
      v.string(),
      v.check(isHostName, 'must be a host name in lower case, and no IP address'),
    ),
    origins: v.pipe(
      v.array(v.string()),
      v.minLength(1, 'a passkey signs at one origin at least'),
      v.maxLength(MAX_ORIGINS, `a passkey signs at ${MAX_ORIGINS} origins at most`),
    ),
    credentialId: v.pipe(base64(MAX_CREDENTIAL_ID_BYTES), v.minLength(1, 'must not be empty')),
    ...assertionMembers,
  }),
  v.check(
    ({ rpId, origins }) => origins.every((origin) => isOriginOf(rpId, origin)),
    'its origins must be https://HOST[:PORT] as browsers write them, of the host rpId or below it; http only of localhost',
  ),
  v.check(({ origins }) => new Set(origins).size === origins.length, 'an origin stands twice'),
  v.check(
    (members) => succeeds(() => parseAssertion(members, new Uint8Array(), 'the passkey')),
    'is not what an authenticator and a browser say when they sign',
  ),
);

export const keySchema = v.strictObject({
  spki: v.pipe(base64(SPKI_BYTES), v.check(isSpki, 'must be an ECDSA P-256 key')),
  proof: v.pipe(
    base64(MAX_SIGNATURE_BYTES),
    v.check((text) => isSignature(parseBase64(text)), 'must be an ECDSA P-256 signature in DER'),
  ),
  passkey: v.exactOptional(passkeySchema),
  revoked: v.exactOptional(v.literal(true)),
  expires: v.exactOptional(instant),
});

export type PolicyKey = v.InferOutput<typeof keySchema>;

/** The key as it stands in a policy. Both must be of the same form. */
export function policyKey(key: SigningKey, proof: Signature): PolicyKey {
  const spki = formatBase64(spkiOf(key));
  if (!isPasskey(key) && !isAssertion(proof)) return { spki, proof: formatBase64(proof) };
  if (!isPasskey(key) || !isAssertion(proof)) {
    throw new TypeError('a passkey is enrolled by its own signature, and so is every other key');
  }
  const { rpId, origins, credentialId } = key;
  const { authenticatorData, clientDataJSON, signature } = proof;
  return {
    spki,
    proof: formatBase64(signature),
    passkey: {
      rpId,
      origins: [...origins],
      credentialId,
      authenticatorData: formatBase64(authenticatorData),
      clientDataJSON: formatBase64(clientDataJSON),
    },
  };
}

/** What signatures by it are checked with. */
export function signingKeyOf({ spki: text, passkey }: PolicyKey): SigningKey {
  const spki = parseSpkiBase64(text);
  if (passkey === undefined) return spki;
  const { rpId, origins, credentialId } = passkey;
  return { spki, rpId, origins, credentialId };
}

/** The signature that enrols it. */
export function proofOf({ proof, passkey }: PolicyKey): Signature {
  const der = parseBase64(proof);
  return passkey === undefined ? der : parseAssertion(passkey, der, 'the proof of a passkey');
}

/** What a key is, in words: "a key", or "a passkey of models.example.org". */
export function describeKey({ passkey }: PolicyKey): string {
  return passkey === undefined ? 'a key' : `a passkey of ${passkey.rpId}`;
}

function isSpki(text: string): boolean {
  return succeeds(() => parseSpkiBase64(text));
}

/** Browsers refuse IP addresses; of the forms of a host name, only they end in a number. */
function isHostName(text: string): boolean {
  return succeeds(() => parseOrigin(text)) && !/(?:^|\.)[0-9]+$/.test(text);
}

/** Is the text the origin of a page that may use the relying party's passkeys? */
function isOriginOf(rpId: string, text: string): boolean {
  const { scheme, host, port } = WEB_ORIGIN.exec(text)?.groups ?? {};
  if (scheme === undefined || host === undefined || !isHostName(host)) return false;
  const isLocal = host === 'localhost' || host.endsWith('.localhost');
  if (scheme === 'http' && !isLocal) return false;
  if (port !== undefined && (port === OWN_PORT[scheme] || Number(port) > 65_535)) return false;
  return host === rpId || host.endsWith(`.${rpId}`);
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
