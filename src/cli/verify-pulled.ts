/** The story of `verify`, apart from its declaration: loading this takes as long as starting threads. */
import { accept } from '../client/accept.ts';
import type { Refusal } from '../core/verdict.ts';
import { nodeHost } from '../hashing/host.ts';
import type { HashingPool } from '../hashing/pool.ts';
import { type VerifiedFolder, verifyFolder } from '../transfer/verify.ts';
import type { Context, SharedFlags } from './context.ts';
import { openPins } from './pins.ts';
import { showing } from './progress.ts';

export interface VerifyFlags extends SharedFlags {
  readonly full?: boolean;
  readonly online?: boolean;
  readonly acceptRecalled?: boolean;
}

/** Verifies the directory and says what was found; throws what is wrong with it. */
export async function verifyPulled(
  pool: HashingPool,
  context: Context,
  flags: VerifyFlags,
  directory: string,
): Promise<void> {
  const { output, signal, world } = context;
  const pins = openPins(context);
  const verdict = await showing({ screen: world.stderr }, (onProgress) =>
    verifyFolder({ host: nodeHost, pins, pool }, directory, {
      full: flags.full === true,
      signal,
      onProgress,
    }),
  );
  if (!verdict.ok) sayDamage(context, verdict);
  const found = accept(verdict);
  const online = flags.online === true ? await checkOnline(context, flags, directory, found) : [];
  const { reference, digest, index, files, total, partial, bytes } = found;
  const checks = [...found.checks, ...online];
  const extent = partial ? `holds ${files} of the ${total} files of` : 'is';
  output.result({ ok: true, reference, digest, index, files, total, partial, bytes, checks }, [
    ...checks.map((check) => `ok  ${check}`),
    `${directory} ${extent} ${reference}, ${digest}`,
  ]);
  if (partial) {
    output.warn(
      `only ${files} of the ${total} files of ${reference} count as selected; if you selected none, pull it again`,
    );
  }
}

/** Every file that does not fit; the failure itself names the first. */
function sayDamage({ output }: Context, { evidence }: Refusal): void {
  for (const how of ['changed', 'missing', 'extra']) {
    const paths = evidence[how];
    if (Array.isArray(paths)) for (const path of paths) output.say(`${how}: ${path}`);
  }
}

/** Loaded only when it is asked for: most of it is how to speak to a registry. */
async function checkOnline(
  context: Context,
  { acceptRecalled = false }: VerifyFlags,
  directory: string,
  found: VerifiedFolder,
): Promise<string[]> {
  const { askRegistry } = await import('./verify-online.ts');
  return askRegistry(context, acceptRecalled, directory, found);
}
