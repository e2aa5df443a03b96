/** On which pages a passkey works, and how many of them a page asks for. */
import type { Policy } from '../../core/release/policy.ts';
import { signingKeyOf } from '../../core/release/policy-key.ts';
import type { Passkey } from '../../core/statement/passkey.ts';
import { isPasskey } from '../../core/statement/signature.ts';

/** Chromium takes no request that names more. */
export const MAX_NAMED = 64;

/** The passkeys of a policy that are not revoked. */
export function passkeysIn({ people }: Policy): Passkey[] {
  return people.flatMap(({ keys }) =>
    keys
      .filter(({ revoked }) => !revoked)
      .map(signingKeyOf)
      .filter(isPasskey),
  );
}

/** Those that sign on a page at this address, and that a page there has made. */
export function usableAt(policy: Policy, { hostname, origin }: Pick<URL, 'hostname' | 'origin'>) {
  return passkeysIn(policy).filter(
    ({ rpId, origins }) => rpId === hostname && origins.includes(origin),
  );
}

/** The passkeys to ask for by name; none where they are too many, and then people are asked for any. */
export function nameable(passkeys: readonly Passkey[]): readonly Passkey[] {
  return passkeys.length > MAX_NAMED ? [] : passkeys;
}

/** Why none works on a page at this address; undefined where they do. A browser keeps one for a host name. */
export function whyNoPasskeys({ hostname, port }: Pick<URL, 'hostname' | 'port'>) {
  if (/^127\.|^\[::1\]$/.test(hostname)) {
    const local = `http://localhost${port === '' ? '' : `:${port}`}`;
    return `A passkey belongs to a host name, and ${hostname} is an address. For one, this server is started with “--public-url ${local}” and opened there.`;
  }
  if (/^\[|^[0-9.]+$/.test(hostname)) {
    return `A passkey belongs to a host name, and ${hostname} is an address. Open this registry by its name.`;
  }
  return 'PublicKeyCredential' in globalThis ? undefined : 'This browser has no passkeys.';
}
