/** Asks somebody for what a decision says, and then whether exactly that is to be signed. */
import type { Draft, Said } from '../../client/decide/decide.ts';
import { parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { describeToSign } from '../../core/statement/decision-text.ts';
import { button, element } from '../panel/element.ts';
import type { Choice, Standing } from './choices.ts';

export const CHOICE_WORDS: Readonly<Record<Choice, string>> = {
  evaluate: 'Evaluate',
  approve: 'Approve',
  object: 'Object',
  hold: 'Hold',
  postpone: 'Postpone',
  lift: 'Lift',
  publish: 'Publish',
  withdraw: 'Withdraw',
};

/** What somebody wants to say. */
export interface Asked {
  readonly said: Said;
  /** The report of an evaluation, unless it stays with whoever made it. */
  readonly report?: Uint8Array;
}

/** Choices whose words are a reason, and little else. */
type Worded = Exclude<Choice, 'evaluate' | 'approve' | 'publish'>;

/** Undefined when they think better of it. */
export async function askWhat(
  choice: Exclude<Choice, 'evaluate'>,
  standing: readonly Standing[],
): Promise<Asked | undefined> {
  if (choice === 'approve' || choice === 'publish') return { said: { decision: choice } };
  const form = await ask(CHOICE_WORDS[choice], fieldsOf(choice, standing), 'Go on');
  return form && { said: saidBy(choice, form) };
}

/**
 * Throws `interrupted` unless the person says that this very thing is to be signed. `sends` is true
 * where a report goes to the registry with it.
 */
export async function askConsent(draft: Draft, sends = false): Promise<void> {
  const rows = describeToSign(draft.decision, draft).map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  );
  const { decision } = draft.decision;
  const list = element('dl', { class: 'facts' }, ...rows);
  const notes = notesOn(decision, sends).map((note) => element('p', { class: 'small' }, note));
  const yes = decision === 'publish' || decision === 'withdraw' ? `Sign and ${decision}` : 'Sign';
  const answered = await ask('Sign exactly this?', [list, ...notes], yes);
  if (answered === undefined) throw new CodedError('interrupted', 'not signed; nothing was done');
}

const BLIND =
  'It is committed to the public log now, blindly; what it says is revealed with the release.';
const SENDS =
  'The report is sent to the registry first: the people of the namespace can read it, and everybody once this is released.';

/** What becomes of it, for whoever is about to sign. */
function notesOn(decision: Draft['decision']['decision'], sends: boolean): string[] {
  if (decision === 'publish') return ['This signs and publishes: it cannot be undone.'];
  if (decision === 'withdraw') {
    return [
      'This gives the draft up for good: nobody lifts that, and its version is never used again.',
      BLIND,
    ];
  }
  return sends ? [BLIND, SENDS] : [BLIND];
}

function saidBy(choice: Worded, form: FormData): Said {
  const reason = textIn(form, 'reason');
  const until = textIn(form, 'until');
  switch (choice) {
    case 'object':
    case 'hold':
    case 'withdraw':
      return { decision: choice, reason };
    case 'postpone':
      return {
        decision: choice,
        reason,
        until: until === '' ? 'indefinitely' : new Date(`${until}Z`).toISOString(),
      };
    case 'lift':
      return { decision: choice, reason, lifts: parseDigest(textIn(form, 'lifts')) };
  }
}

/** '' for a field that is not there. */
function textIn(form: FormData, name: string): string {
  return String(form.get(name) ?? '').trim();
}

function fieldsOf(choice: Worded, standing: readonly Standing[]): HTMLElement[] {
  const reason = field('Why', element('textarea', { name: 'reason', required: true, rows: '3' }));
  if (choice === 'postpone') {
    const until = element('input', { name: 'until', type: 'datetime-local' });
    return [field('Until (UTC); empty for until further notice', until), reason];
  }
  if (choice === 'lift') {
    const options = standing.map(({ digest, words }) =>
      element('option', { value: digest }, words),
    );
    return [field('What', element('select', { name: 'lifts' }, ...options)), reason];
  }
  return [reason];
}

export function field(label: string, input: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, label, input);
}

/** A dialog with these parts; what its fields hold, or undefined when it is left. */
export function ask(
  title: string,
  parts: readonly HTMLElement[],
  yes: string,
): Promise<FormData | undefined> {
  const { promise, resolve } = Promise.withResolvers<FormData | undefined>();
  const submit = element('button', { type: 'submit' }, yes);
  const cancel = button('Cancel', () => dialog.close(), { class: 'quiet' });
  const heading = element('h2', { id: 'asked' }, title);
  const form = element(
    'form',
    { method: 'dialog' },
    heading,
    ...parts,
    element('p', { class: 'actions' }, submit, cancel),
  );
  const dialog = element('dialog', { 'aria-labelledby': 'asked' }, form);
  form.addEventListener('submit', () => resolve(new FormData(form)));
  dialog.addEventListener('close', () => {
    resolve(undefined);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
