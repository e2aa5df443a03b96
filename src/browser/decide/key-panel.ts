/** Shows whose key this browser has, and makes one where there is none. */
import type { Signer } from '../../client/decide/desk.ts';
import { formatBase64 } from '../../core/bytes.ts';
import type { Host } from '../../core/host.ts';
import type { Origin } from '../../core/log/checkpoint.ts';
import { type Policy, personWithKey } from '../../core/release/policy.ts';
import { keyId } from '../../core/statement/public-key.ts';
import { button, copyButton, element } from '../panel/element.ts';
import { rolesOf } from './choices.ts';
import { enrol } from './key.ts';

export interface KeyParts {
  readonly host: Host;
  readonly origin: Origin;
  readonly policy: Policy;
}

/** Does something that may fail, and tells the person why it did. */
export type Attempt = (what: () => Promise<void>) => void;

/** The person whose key it is, by the policy in force; undefined when it stands there for nobody. */
export function personOf(policy: Policy, signer: Signer): string | undefined {
  return personWithKey(policy, formatBase64(signer.spki));
}

/** As whom this browser signs. */
export function knownKey({ host, policy }: KeyParts, signer: Signer, person: string): HTMLElement {
  const name = policy.people.find(({ id }) => id === person)?.name ?? person;
  return element(
    'p',
    {},
    `With ${describe(signer)} you sign as `,
    element('strong', {}, name),
    ` (${rolesOf(policy, person).join(', ')}). Key `,
    element('code', {}, keyId(host, signer.spki)),
  );
}

/** What somebody signs with, in words. */
function describe({ passkey }: Signer): string {
  return passkey === undefined ? 'the key in this browser' : `your passkey of ${passkey.rpId}`;
}

/** Offers to make a key, or to use what is in `others`. */
export function noKey(make: () => void, others: HTMLElement): HTMLElement {
  return element(
    'div',
    {},
    element(
      'p',
      {},
      'What you decide is signed with a key of your own. This browser knows none yet: it can make one, which never leaves it. When its storage is cleared, the key is gone, and another one takes its place.',
    ),
    button('Make a key in this browser', make),
    others,
  );
}

/** Shows how the key gets into the policy: its owners put it there. */
export function unknownKey(
  { host, origin, policy }: KeyParts,
  signer: Signer,
  attempt: Attempt,
): HTMLElement {
  const people = policy.people.map(({ id, name }) =>
    element('option', { value: id }, `${name} (${id})`),
  );
  const select = element('select', { name: 'person' }, ...people);
  const out = element('div', { role: 'status' });
  const show = async () => {
    const { namespace } = policy;
    const key = await enrol(signer, { origin, namespace, person: select.value });
    const text = JSON.stringify(key, null, 2);
    out.replaceChildren(
      element('pre', { tabindex: '0' }, element('code', {}, text)),
      copyButton(text, 'the enrolment'),
      element(
        'p',
        { class: 'small' },
        `Give this to an owner of ${namespace}: it goes among your keys in the policy, which “weighhouse policy set” then logs. Once it is in force, you decide here.`,
      ),
    );
  };
  return element(
    'div',
    {},
    element(
      'p',
      {},
      `The policy of ${policy.namespace} does not have ${describe(signer)} yet: `,
      element('code', {}, keyId(host, signer.spki)),
    ),
    element('label', { class: 'field' }, 'You are', select),
    button('Show what enrols it', () => attempt(show)),
    out,
  );
}
