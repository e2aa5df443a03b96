/** Nobody signs what they did not name: by looking at it on a terminal, or by its digest elsewhere. */
import type { Draft } from '../client/decide/decide.ts';
import { type Digest, parseDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { describeToSign } from '../core/statement/decision-text.ts';
import type { Context } from './context.ts';
import { ask } from './prompt.ts';
import { formatFields } from './table.ts';
import { isInteractive } from './world.ts';

/** The digest that the person named. Throws `usage` when there is none and nobody can be asked. */
export function namedDigest(context: Context, digest: string | undefined): Digest | undefined {
  if (digest !== undefined) return parseDigest(digest, '--digest');
  if (isInteractive(context.world)) return undefined;
  throw new CodedError(
    'usage',
    'name what you decide about: --digest sha256:… of what is sealed ("weighhouse status" shows it)',
  );
}

/** Shows what is to be signed and asks, unless the person has named its digest. */
export async function askConsent(
  context: Context,
  draft: Draft,
  named: Digest | undefined,
): Promise<void> {
  const { output, world } = context;
  for (const line of formatFields(describeToSign(draft.decision, draft))) output.say(line);
  if (named !== undefined) return;
  const answer = await ask(world, 'Sign this with your key? Type yes: ');
  if (answer.trim().toLowerCase() === 'yes') return;
  throw new CodedError('interrupted', 'not signed; nothing was done');
}
