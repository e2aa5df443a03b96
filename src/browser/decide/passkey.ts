/**
 * A person's passkey: their authenticator keeps the key, and asks them each time that it signs
 * (Web Authentication, Level 3). What it signs is checked here as everybody will check it, before
 * anything is kept or sent: a commitment to a signature that opens nothing would stop the release.
 */
import type { Signer } from '../../client/decide/desk.ts';
import { formatBase64, parseBase64 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import type { Assertion, Passkey } from '../../core/statement/passkey.ts';
import { parseSpki } from '../../core/statement/public-key.ts';
import { checkSignature } from '../../core/statement/signature.ts';
import { nameable } from './passkey-pages.ts';

/** ES256: ECDSA P-256 with SHA-256 (RFC 9053, section 2.1). */
const ES256 = -7;
const RANDOM_BYTES = 32;

/** Has the person’s authenticator make one, for this page’s host and origin; `label` is how it names it. */
export async function makePasskey(label: string): Promise<Passkey> {
  const rpId = location.hostname;
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { id: rpId, name: rpId },
        // A new one each time: an authenticator replaces a key of the same user.
        user: { id: random(), name: label, displayName: label },
        // Nothing rests on it: that the key is the person's is what the enrolment proves.
        challenge: random(),
        pubKeyCredParams: [{ type: 'public-key', alg: ES256 }],
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        attestation: 'none',
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  const spki = response.getPublicKey();
  if (response.getPublicKeyAlgorithm() !== ES256 || spki === null) {
    throw new CodedError('bad-key', 'the authenticator made no ECDSA P-256 key; use another one');
  }
  return {
    spki: parseSpki(new Uint8Array(spki), 'the passkey'),
    rpId,
    origins: [location.origin],
    credentialId: formatBase64(new Uint8Array(made.rawId)),
  };
}

/** Which of these the person has at hand. */
export async function choosePasskey(known: readonly Passkey[]): Promise<Passkey> {
  const used = await use(location.hostname, nameable(known), random());
  const id = formatBase64(new Uint8Array(used.rawId));
  const found = known.find(({ credentialId }) => credentialId === id);
  if (found !== undefined) return found;
  throw new CodedError('untrusted', 'that passkey is not in the policy; use another one');
}

/** Signs with it, after the person was asked. */
export function passkeySigner(host: Host, passkey: Passkey): Signer {
  return {
    spki: passkey.spki,
    passkey,
    async sign(bytes) {
      const { response } = await use(passkey.rpId, [passkey], host.sha256(bytes));
      const signature = assertionOf(response as AuthenticatorAssertionResponse);
      const checked = await checkSignature(host, passkey, bytes, signature);
      if (checked.ok) return signature;
      throw new CodedError(checked.code, `${checked.message}; nothing was sent`);
    },
  };
}

/** Where none is named, the person chooses among all that their authenticators list for the page. */
function use(rpId: string, passkeys: readonly Passkey[], challenge: Uint8Array) {
  return asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: challenge as Uint8Array<ArrayBuffer>,
        rpId,
        allowCredentials: passkeys.map(({ credentialId }) => ({
          type: 'public-key',
          id: parseBase64(credentialId) as Uint8Array<ArrayBuffer>,
        })),
        userVerification: 'required',
      },
    }),
  );
}

function assertionOf(response: AuthenticatorAssertionResponse): Assertion {
  return {
    authenticatorData: new Uint8Array(response.authenticatorData),
    clientDataJSON: new Uint8Array(response.clientDataJSON),
    signature: new Uint8Array(response.signature),
  };
}

/** What the browser’s dialog gave; throws `interrupted` where the person left it. */
async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await ask();
    if (credential !== null) return credential as PublicKeyCredential;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    // One name for all of it, so that pages cannot find out which keys there are (section 14.5.2).
    if (name !== 'NotAllowedError' && name !== 'AbortError') throw error;
  }
  throw new CodedError(
    'interrupted',
    'the passkey was not used: it was left, took too long, is not at hand, or did not verify you; nothing was signed and nothing was sent',
  );
}

function random(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
}
