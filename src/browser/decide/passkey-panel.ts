/** Offers passkeys: to make one, to use one that stands in the policy, and to use something else. */
import type { Signer } from '../../client/decide/desk.ts';
import { formatBase64 } from '../../core/bytes.ts';
import type { Passkey } from '../../core/statement/passkey.ts';
import { button, element } from '../panel/element.ts';
import type { Attempt, KeyParts } from './key-panel.ts';
import { choosePasskey, makePasskey, passkeySigner } from './passkey.ts';
import { passkeysIn, usableAt, whyNoPasskeys } from './passkey-pages.ts';
import type { SignerStore } from './store.ts';

export interface PasskeyParts extends KeyParts {
  readonly store: SignerStore;
  /** Does it, and tells what went wrong. */
  readonly attempt: Attempt;
  /** Shows the page as it is then. */
  readonly again: () => Promise<void>;
}

/** The passkey that this browser was told to use; undefined where it was told of none. */
export async function findPasskey(
  { host, origin, policy }: KeyParts,
  store: SignerStore,
): Promise<Signer | undefined> {
  const kept = await store.passkey(origin);
  if (kept === undefined) return undefined;
  // Where it may sign is what the policy says: with anything else, nobody could check it.
  const spki = formatBase64(kept.spki);
  const inPolicy = passkeysIn(policy).find((each) => formatBase64(each.spki) === spki);
  return passkeySigner(host, inPolicy ?? kept);
}

/** Buttons for passkeys, or why there are none. */
export function offerPasskeys(parts: PasskeyParts, signer: Signer | undefined): HTMLElement {
  const { origin, policy, store, attempt, again } = parts;
  const why = whyNoPasskeys(location);
  if (why !== undefined) return element('p', { class: 'small' }, why);
  const quiet = { class: 'quiet' };
  if (signer?.passkey !== undefined) {
    const forget = () => attempt(() => store.forgetPasskey(origin).then(again));
    return element('p', { class: 'actions' }, button('Use another key', forget, quiet));
  }
  const keep = (ask: () => Promise<Passkey>) =>
    attempt(async () => {
      await store.keepPasskey(origin, await ask());
      await again();
    });
  const usable = usableAt(policy, location);
  const make = () => keep(() => makePasskey(`${policy.namespace} at ${origin}`));
  const choose = () => keep(() => choosePasskey(usable));
  return element(
    'div',
    {},
    element(
      'p',
      { class: 'small' },
      'A passkey is kept by your device or by a security key, which asks for you each time that you sign. It works in every browser that can reach it.',
    ),
    element(
      'p',
      { class: 'actions' },
      usable.length > 0 && button('Use my passkey', choose, quiet),
      button('Make a passkey', make, quiet),
    ),
  );
}
