/** Asks somebody for what a decision says, and then whether exactly that is to be signed. */
import type { Draft, Said } from '../../client/decide/decide.ts';
import { parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { describeToSign } from '../../core/statement/decision-text.ts';
import { button, element } from '../panel/element.ts';
import type { Choice, Standing } from './choices.ts';

export const CHOICE_WORDS: Readonly<Record<Choice, string>> = {
  approve: 'Approve',
  object: 'Object',
  hold: 'Hold',
  postpone: 'Postpone',
  lift: 'Lift',
  publish: 'Publish',
};

/** What the fields of a decision hold: `reason`, `until`, `lifts`. */
type Fields = Readonly<Record<string, string>>;

/** Undefined when they think better of it. */
export async function askWhat(
  choice: Choice,
  standing: readonly Standing[],
): Promise<Said | undefined> {
  if (choice === 'approve' || choice === 'publish') return { decision: choice };
  const fields = await ask(CHOICE_WORDS[choice], fieldsOf(choice, standing), 'Go on');
  return fields && saidBy(choice, fields);
}

/** Throws `interrupted` unless the person says that this very thing is to be signed. */
export async function askConsent(draft: Draft): Promise<void> {
  const rows = describeToSign(draft.decision, draft).map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  );
  const isPublish = draft.decision.decision === 'publish';
  const note = isPublish
    ? 'This signs and publishes: it cannot be undone.'
    : 'It is committed to the public log now, blindly; what it says is revealed with the release.';
  const list = element('dl', { class: 'facts' }, ...rows);
  const answered = await ask(
    'Sign exactly this?',
    [list, element('p', { class: 'small' }, note)],
    isPublish ? 'Sign and publish' : 'Sign',
  );
  if (answered === undefined) throw new CodedError('interrupted', 'not signed; nothing was done');
}

function saidBy(choice: Exclude<Choice, 'approve' | 'publish'>, fields: Fields): Said {
  const { reason = '', until = '', lifts = '' } = fields;
  switch (choice) {
    case 'object':
    case 'hold':
      return { decision: choice, reason };
    case 'postpone':
      return {
        decision: choice,
        reason,
        until: until === '' ? 'indefinitely' : new Date(`${until}Z`).toISOString(),
      };
    case 'lift':
      return { decision: choice, reason, lifts: parseDigest(lifts) };
  }
}

function fieldsOf(choice: Choice, standing: readonly Standing[]): HTMLElement[] {
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

function field(label: string, input: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, label, input);
}

/** A dialog with these parts; what its fields hold, or undefined when it is left. */
function ask(
  title: string,
  parts: readonly HTMLElement[],
  yes: string,
): Promise<Fields | undefined> {
  const { promise, resolve } = Promise.withResolvers<Fields | undefined>();
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
  form.addEventListener('submit', () => {
    const fields = [...new FormData(form)].map(([name, value]) => [name, String(value).trim()]);
    resolve(Object.fromEntries(fields));
  });
  dialog.addEventListener('close', () => {
    resolve(undefined);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
