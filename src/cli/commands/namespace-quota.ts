/**
 * `namespace quota NS`, on the operator's machine: what a namespace may take up. `namespace
 * usage NS`, for everybody who takes part in it: what it does. docs/adr/0011 says what counts.
 */
import type { Command } from 'commander';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { CodedError } from '../../core/error.ts';
import { parseNamespace } from '../../core/release/name.ts';
import { openStore } from '../../open-store.ts';
import { type Limits, recountQuota, setQuota, type Usage, usageOf } from '../../registry/quotas.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApiWithToken } from '../reach.ts';
import { formatFields } from '../table.ts';
import { parseBytes, parseCount } from '../units.ts';

export function quotaCommands(run: Run): Command[] {
  return [
    declare('quota', 'namespace quota acme --store ./store --bytes 2TB --drafts 20')
      .description('show or set what a namespace may take up')
      .argument('<ns>', 'the namespace')
      .requiredOption('--store <store>', 'the registry’s store')
      .option('--bytes <size>', 'bytes of all its files, published ones too')
      .option('--files <n>', 'files, published ones too')
      .option('--drafts <n>', 'drafts that are neither published nor withdrawn')
      .option('--unlimited', 'take all limits away')
      .option('--recount', 'count anew what it takes up')
      .action(run(quota)),
    declare('usage', 'namespace usage acme')
      .description('what a namespace takes up, and its quota')
      .argument('<ns>', 'the namespace')
      .addOption(urlFlag())
      .addOption(tokenFlag())
      .action(run(showUsage)),
  ];
}

interface QuotaFlags extends SharedFlags {
  readonly store: string;
  readonly bytes?: string;
  readonly files?: string;
  readonly drafts?: string;
  readonly unlimited?: boolean;
  readonly recount?: boolean;
}

async function quota({ output }: Context, flags: QuotaFlags, text: string): Promise<void> {
  const namespace = parseNamespace(text);
  const limits = limitsOf(flags);
  const store = await openStore(flags.store);
  try {
    if (limits !== undefined) await setQuota(store, namespace, limits, Date.now());
    if (flags.recount === true) await recountQuota(store, namespace, Date.now());
    const usage = await usageOf(store, namespace);
    output.result({ namespace, ...(usage !== undefined && { usage }) }, describe(text, usage));
    if (limits !== undefined) output.say('servers that run follow within half a minute');
  } finally {
    await store.close();
  }
}

/** The limits that the flags say, all that are not named being none; undefined to set nothing. */
function limitsOf({ bytes, files, drafts, unlimited }: QuotaFlags): Limits | undefined {
  const isLimited = bytes !== undefined || files !== undefined || drafts !== undefined;
  if (unlimited === true && isLimited) {
    throw new CodedError('usage', '--unlimited goes with no limit; leave one of the two away');
  }
  if (!isLimited) return unlimited === true ? {} : undefined;
  return {
    ...(bytes !== undefined && { bytes: parseBytes(bytes, '--bytes') }),
    ...(files !== undefined && { files: parseCount(files, '--files') }),
    ...(drafts !== undefined && { drafts: parseCount(drafts, '--drafts') }),
  };
}

async function showUsage(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const api = await openApiWithToken(context);
  const shown = await api.usage(parseNamespace(text), { signal: context.signal });
  context.output.result(shown, describe(text, shown.usage));
}

/** Limits as the store or the API give them. */
type Shown = Omit<Usage, 'limits'> & {
  readonly limits: { readonly [What in keyof Limits]?: number | undefined };
};

function describe(namespace: string, usage: Shown | undefined): string[] {
  if (usage === undefined) return [`${namespace} has no quota: nothing is limited or counted`];
  const { limits, used, published, setAside, drafts } = usage;
  const of = (limit: number | undefined, format: (n: number) => string) =>
    limit === undefined ? ', without limit' : ` of ${format(limit)}`;
  const fields: [string, string][] = [
    ['bytes', `${formatBytes(used.bytes)}${of(limits.bytes, formatBytes)}`],
    ['files', `${used.files}${of(limits.files, String)}`],
    ['open drafts', `${drafts}${of(limits.drafts, String)}`],
    ['published', `${formatBytes(published.bytes)} in ${formatCount(published.files, 'file')}`],
  ];
  if (setAside.files > 0 || setAside.bytes > 0) {
    fields.push(['set aside', `for uploads under way: up to ${formatBytes(setAside.bytes)}`]);
  }
  return formatFields(fields);
}
