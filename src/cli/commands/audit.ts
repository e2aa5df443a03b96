/**
 * `audit [URL]`: the whole log replayed, by somebody who believes nothing but the pinned
 * trust root. With `--state FILE` each audit begins where the last one without a violation
 * ended, and finds out when the log has been rolled back or forked since. With `--content` it
 * reads every release from the first entry on, each time: bytes rot whenever they like. An audit
 * that was to read what is for readers alone, and was given no token of one, ends with 3.
 */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { JudgedRelease } from '../../client/audit/documents.ts';
import { formatCount } from '../../core/amounts.ts';
import type { Violation } from '../../core/audit/findings.ts';
import { CodedError } from '../../core/error.ts';
import { auditRegistry, type RegistryAuditReport } from '../../transfer/audit/audit.ts';
import { replaceFile } from '../../whole-file.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { STATUS, statusOf } from '../exit.ts';
import { type Line, toned } from '../paint.ts';
import { showing } from '../progress.ts';
import { openReader } from '../reach.ts';
import { paintFields } from '../table.ts';

/** Exit statuses of violations, the gravest first: a log that is not one log comes before all. */
const GRAVITY = [
  STATUS.fork,
  STATUS['rolled-back'],
  STATUS.untrusted,
  STATUS['digest-mismatch'],
  STATUS['gate-unmet'],
];

export function makeCommand(run: Run): Command {
  return declare('audit', 'audit https://models.example.org --state audit.json')
    .argument('[url]', 'the registry; in place of --url')
    .option('--state <file>', 'go on where the audit before ended, and notice what was rewritten')
    .option('--content', 'also read every byte of every release, each time from the first')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(auditLog));
}

interface AuditFlags extends SharedFlags {
  readonly state?: string;
  readonly content?: boolean;
}

async function auditLog(given: Context, flags: AuditFlags, url?: string): Promise<number> {
  const context = url === undefined ? given : { ...given, config: { ...given.config, url } };
  const { output, signal, world } = context;
  const before = flags.state === undefined ? undefined : await readState(flags.state);
  const reader = await openReader(context);
  const verdicts: JudgedRelease[] = [];
  const { state, ...report } = await showing(
    { screen: world.stderr },
    (onContent, reportEntries): Promise<RegistryAuditReport> =>
      auditRegistry(reader, {
        state: before,
        content: flags.content === true,
        signal,
        onContent,
        onRelease: (release) => verdicts.push(release),
        onProgress: ({ entries, size }) => reportEntries(entries, size),
      }),
  );
  // A state that is lost lets a rewritten log pass unnoticed.
  if (flags.state !== undefined && state !== undefined) {
    await replaceFile(flags.state, state, 0o600);
  }
  for (const { index, message } of report.notes) output.say(`note: entry ${index}: ${message}`);
  verdicts.sort((a, b) => a.index - b.index);
  output.result({ ...report, verdicts }, [...verdicts.map(describeRelease), ...describe(report)]);
  for (const { release, message } of report.unread) {
    output.warn(`the content of ${release} was not read: ${message}`);
  }
  if (!report.ok) return gravestOf(report.violations);
  return report.unread.length === 0 ? 0 : STATUS['not-authorised'];
}

/** The state that an earlier audit left; undefined before the first. */
async function readState(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new CodedError('storage', `the audit’s state ${path} cannot be read (${code})`);
  }
}

function gravestOf(violations: readonly Violation[]): number {
  const statuses = violations.map(({ code }) => statusOf(code));
  return GRAVITY.find((status) => statuses.includes(status)) ?? statuses[0] ?? STATUS.internal;
}

/** One line: what its gate was met by, or that it was not. */
function describeRelease({ index, release, ok, gate }: JudgedRelease): Line {
  if (!ok || gate === undefined) {
    return [toned('bad', `entry ${index}: ${release}: VIOLATION, see below`)];
  }
  if (!gate.gated) return `entry ${index}: ${release}: registry-signed only, by a solo policy`;
  const people = gate.people.filter((id) => id !== 'registry').join(', ');
  const decisions = formatCount(gate.decisions, 'decision');
  return `entry ${index}: ${release}: gate of the policy at ${gate.policy} met; ${decisions} opened, by ${people || 'the registry'}`;
}

function describe(report: Omit<RegistryAuditReport, 'state'>): Line[] {
  const { ok, origin, size, root, from, releases, violations, violationCount } = report;
  const range = from === 0 ? 'from its beginning' : `from entry ${from} on`;
  const verdict = ok
    ? toned('good', 'no violation')
    : toned('bad', formatCount(violationCount, 'violation'));
  return [
    [`audited ${origin}, ${range}: `, verdict],
    ...paintFields([
      ['entries', String(size)],
      ['root', root],
      ['releases', String(releases)],
    ]),
    ...violations.map(
      ({ index, code, message }): Line => [toned('bad', `entry ${index}: ${code}:`), ` ${message}`],
    ),
  ];
}
