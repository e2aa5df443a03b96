/** What a publisher says of a model beside its bytes, on the command line. */
import { Option } from 'commander';
import { resolveRelease } from '../client/release.ts';
import { compareCodePoints } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { type Base, type Claims, parseClaims, RELATIONS } from '../core/release/claims.ts';
import { formatReleaseName, parseReference } from '../core/release/name.ts';
import type { Context } from './context.ts';
import { openReader } from './reach.ts';

export interface ClaimFlags {
  /** `RELATION:REF`, each. */
  readonly base?: readonly string[];
  readonly companion?: string;
  readonly companionModel?: string;
}

export function claimFlags(): Option[] {
  return [
    new Option(
      '--base <relation:ref>',
      `a release that this one was made from, as ${RELATIONS.join(', ')}; may be repeated`,
    ).argParser((text: string, before: readonly string[] = []) => [...before, text]),
    new Option('--companion <url>', 'API of a hosted model that takes what this one cannot'),
    new Option('--companion-model <name>', 'what that API calls it'),
  ];
}

/** The claims that the flags make; each base is resolved, and verified as a pull would. Throws `usage`, `bad-document`. */
export async function claimsFrom(context: Context, flags: ClaimFlags): Promise<Claims> {
  const { base = [], companion: url, companionModel: model } = flags;
  if ((url === undefined) !== (model === undefined)) {
    throw new CodedError('usage', 'a companion has both: --companion URL --companion-model NAME');
  }
  const bases: Base[] = [];
  for (const text of base) bases.push(await resolveBase(context, text));
  bases.sort((a, b) => compareCodePoints(a.release, b.release));
  return parseClaims({
    ...(bases.length > 0 && { base: bases }),
    ...(url !== undefined && { companion: { url, model } }),
  });
}

async function resolveBase(context: Context, text: string): Promise<Base> {
  const [, word, name] = /^([a-z]+):(.+)$/.exec(text) ?? [];
  const relation = RELATIONS.find((known) => known === word);
  if (relation === undefined || name === undefined) {
    throw new CodedError(
      'usage',
      `"${text}" is no base; write RELATION:REF, such as quantized:acme/model@1.0 (${RELATIONS.join(', ')})`,
    );
  }
  const reader = await openReader(context);
  const { verified } = await resolveRelease(reader, parseReference(name), {
    acceptRecalled: true,
    signal: context.signal,
  });
  return { relation, release: formatReleaseName(verified.release), digest: verified.digest };
}

/** The claims as people read them: name and value. */
export function describeClaims({ source, base = [], companion }: Claims): [string, string][] {
  const said = 'as its publisher says';
  return [
    ...(source === undefined
      ? []
      : [['imported', `from ${source.url} at ${source.revision}, ${said}`] as [string, string]]),
    ...base.map(({ relation, release, digest }): [string, string] => [
      relation,
      `of ${release} (${digest}), ${said}`,
    ]),
    ...(companion === undefined
      ? []
      : [['companion', `${companion.model} at ${companion.url}, ${said}`] as [string, string]]),
  ];
}
