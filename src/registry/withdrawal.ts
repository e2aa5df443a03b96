/** Withdrawing a draft: when it is withdrawn, and why a token does not always suffice. */
import { CodedError } from '../core/error.ts';
import type { Missing } from '../core/release/missing.ts';
import { parseReleaseName } from '../core/release/name.ts';
import { PUBLISHING } from '../core/release/roles.ts';
import type { DraftIn } from './documents/draft.ts';

/** Was it withdrawn by somebody who may? Nothing lifts that. */
export function isGivenUp(missing: readonly Missing[]): boolean {
  return missing.some(({ need }) => need === 'withdrawn');
}

export function withdrawn(draft: DraftIn<'draft' | 'sealed'>): DraftIn<'withdrawn'> {
  return { ...draft, state: 'withdrawn' };
}

/** Why a token does not withdraw what a gated namespace has sealed. */
export function unsigned({ release, state }: DraftIn<'draft' | 'sealed'>): CodedError {
  const { namespace } = parseReleaseName(release);
  const command = `weighhouse withdraw ${release} --reason … --key FILE`;
  return new CodedError(
    'gate-unmet',
    state === 'sealed'
      ? `${release} is sealed and the policy of ${namespace} is gated: one with the role ${PUBLISHING.join(' or ')} withdraws it with their key: ${command}`
      : `${release} was sealed before, and the policy of ${namespace} is gated: seal it again, and withdraw it with a key: ${command}`,
  );
}
