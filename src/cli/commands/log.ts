/**
 * `log tail`, `log entry INDEX`, `log proof INDEX`: the log itself. All of them check what
 * they read against the registry's signed checkpoint, and that against what was seen before.
 */
import type { Command } from 'commander';
import { type OpenLog, openLog } from '../../client/open-log.ts';
import { parseUtf8 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { type Entry, parseEntry } from '../../core/log/entry.ts';
import { TILE_WIDTH } from '../../core/log/tile.ts';
import { formatTlogProof } from '../../core/log/tlog-proof.ts';
import { declare, declareGroup, type Run, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openReader } from '../reach.ts';
import { parseCount } from '../units.ts';

/** Milliseconds between two looks for new entries. */
const LOOK_MS = 1_000;

export function makeCommand(run: Run): Command {
  return declareGroup('log', 'log proof 42')
    .addCommand(
      declare('tail', 'log tail -n 20 --follow')
        .description('the newest entries, one JSON document a line with --json')
        .option('-n, --lines <n>', 'how many', '10')
        .option('-f, --follow', 'go on with new entries as they come')
        .addOption(urlFlag())
        .action(run(tail)),
    )
    .addCommand(
      declare('entry', 'log entry 42')
        .description('one entry, exactly as it was logged')
        .argument('<index>', 'its place in the log, from 0')
        .addOption(urlFlag())
        .action(run(showEntry)),
    )
    .addCommand(
      declare('proof', 'log proof 42 > entry-42.tlog-proof')
        .description('the proof that the log holds an entry (C2SP tlog-proof)')
        .argument('<index>', 'its place in the log, from 0')
        .addOption(urlFlag())
        .action(run(showProof)),
    );
}

interface TailFlags extends SharedFlags {
  readonly lines: string;
  readonly follow?: boolean;
}

async function tail(context: Context, flags: TailFlags): Promise<void> {
  const { signal } = context;
  const lines = parseCount(flags.lines, '--lines');
  const reader = await openReader(context);
  let log = await openLog(reader, signal);
  let next = Math.max(0, log.size - lines);
  for (;;) {
    for await (const [index, bytes] of entriesFrom(log, next)) sayEntry(context, index, bytes);
    next = log.size;
    if (flags.follow !== true) return;
    await reader.api.http.pauses.sleep(LOOK_MS, signal);
    log = await openLog(reader, signal);
  }
}

/** Entries from `first` to the end, a bundle at a time. */
async function* entriesFrom(
  { tree, size }: OpenLog,
  first: number,
): AsyncGenerator<readonly [number, Uint8Array]> {
  for (let bundle = Math.floor(first / TILE_WIDTH); bundle * TILE_WIDTH < size; bundle++) {
    if (first >= size) return;
    const entries = await tree.bundle(bundle);
    for (const [slot, bytes] of entries.entries()) {
      const index = bundle * TILE_WIDTH + slot;
      if (index >= first) yield [index, bytes];
    }
  }
}

async function showEntry(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const { log, index } = await findEntry(context, text);
  const bytes = await log.tree.entry(index);
  if (context.output.json) sayEntry(context, index, bytes);
  else context.output.result(undefined, [parseUtf8(bytes)]);
}

async function showProof(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const { log, index } = await findEntry(context, text);
  const hashes = await log.tree.proveInclusion(index);
  const proof = parseUtf8(formatTlogProof({ index, hashes, checkpoint: log.note }));
  if (context.output.json) context.output.result({ index, size: log.size, proof }, []);
  else context.output.text(proof);
}

async function findEntry(context: Context, text: string): Promise<{ log: OpenLog; index: number }> {
  const index = parseCount(text, 'an index');
  const log = await openLog(await openReader(context), context.signal);
  if (index < log.size) return { log, index };
  throw new CodedError('not-found', `the log has ${log.size} entries: there is no entry ${index}`);
}

function sayEntry({ output }: Context, index: number, bytes: Uint8Array): void {
  const parsed = parseEntry(bytes);
  const kind = parsed.known ? parsed.entry.kind : parsed.kind;
  const time = parsed.known ? parsed.entry.time : undefined;
  const entry: unknown = JSON.parse(parseUtf8(bytes));
  const what = parsed.known ? describe(parsed.entry) : '';
  const line = [String(index).padStart(8), (time ?? '').padEnd(24), kind.padEnd(12), what];
  output.result({ index, kind, ...(time === undefined ? {} : { time }), entry }, [
    line.join('  ').trimEnd(),
  ]);
}

/** What an entry is about, in a few words. */
function describe(entry: Entry): string {
  switch (entry.kind) {
    case 'namespace':
    case 'policy':
      return entry.namespace;
    case 'release':
      return `${entry.release} ${entry.digest}`;
    case 'advisory':
      return `${entry.release} ${entry.advisory}: ${entry.summary}`;
    case 'commitment':
    case 'void':
      return entry.label;
    case 'announcement':
      return `${entry.release} ${entry.announcement} ${entry.date ?? 'until further notice'}`;
    case 'heads':
      return `${entry.namespaces} namespaces`;
    case 'root':
      return `version ${entry.version}`;
  }
}
