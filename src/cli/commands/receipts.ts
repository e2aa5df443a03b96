/**
 * `receipts check`: proves every decision of yours against the log and, once it is out, the
 * release. What is missing is written to a file that convinces others, too.
 */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type CheckedReceipt, checkReceipt } from '../../client/decide/check.ts';
import { readRevealed } from '../../client/decide/released.ts';
import { decisionIn, nameOf } from '../../client/receipts.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { nodeHost } from '../../hashing/host.ts';
import { declare, declareGroup, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { STATUS } from '../exit.ts';
import { openReadingMeans } from '../means.ts';
import { formatTable } from '../table.ts';

export function makeCommand(run: Run): Command {
  return declareGroup('receipts', 'receipts check').addCommand(
    declare('check', 'receipts check')
      .description('prove your decisions against the log and the releases that they are about')
      .option('--evidence <prefix>', 'begins the names of files with evidence', 'missing-')
      .addOption(urlFlag())
      .addOption(tokenFlag())
      .action(run(check)),
  );
}

/** What each state means, to whoever looks at the table. */
const MEANING: Readonly<Record<CheckedReceipt['state'], string>> = {
  unfinished: 'not recorded: run "weighhouse decide --resume"',
  dropped: 'never came into the log',
  logged: 'in the log; the registry says that nothing is published',
  withdrawn: 'in the log; the registry says that the draft was withdrawn',
  revealed: 'in the log, and the release shows it',
  void: 'voided by the owners, in the log',
  lost: 'THE LOG DOES NOT HOLD IT',
  omitted: 'THE RELEASE DOES NOT SHOW IT',
  denied: 'THE LOG HAS THE RELEASE, WHICH THE REGISTRY DENIES',
};

async function check(
  context: Context,
  flags: SharedFlags & { readonly evidence: string },
): Promise<number | undefined> {
  const checked = await checkAll(context);
  const files = new Map<CheckedReceipt, string>();
  for (const each of checked) {
    if (each.evidence === undefined) continue;
    const file = `${flags.evidence}${each.receipt.label.slice(0, 16)}.json`;
    await writeFile(file, `${JSON.stringify(each.evidence, null, 2)}\n`);
    files.set(each, file);
  }
  const receipts = checked.map((each) => toJson(each, files.get(each)));
  const count = (state: CheckedReceipt['state']) =>
    checked.filter((each) => each.state === state).length;
  const ok = checked.every(
    ({ state }) => !['unfinished', 'lost', 'omitted', 'denied'].includes(state),
  );
  context.output.result({ ok, receipts }, [...describe(checked), ...[...files.values()].map(tell)]);
  if (count('lost') > 0) return STATUS['proof-invalid'];
  if (count('omitted') + count('denied') > 0) return STATUS['gate-unmet'];
  return count('unfinished') > 0 ? STATUS.conflict : undefined;
}

async function checkAll(context: Context): Promise<CheckedReceipt[]> {
  const means = await openReadingMeans(context);
  const { desk, reader } = means;
  const log = await desk.log();
  const releases = new Map<string, Awaited<ReturnType<typeof readRevealed>>>();
  const checked: CheckedReceipt[] = [];
  for (const receipt of await means.receipts.all(desk.origin)) {
    const { release: name } = receipt;
    if (!releases.has(name)) {
      const release = parseReleaseName(name);
      releases.set(name, await readRevealed(reader, desk, log, release, context.signal));
    }
    checked.push(await checkReceipt(means, log, releases.get(name), receipt));
  }
  return checked;
}

function describe(checked: readonly CheckedReceipt[]): string[] {
  if (checked.length === 0) return ['there are no receipts of this registry on this machine'];
  const rows = checked.map(({ receipt, state }) => [
    receipt.index === null ? '-' : String(receipt.index),
    receipt.release,
    decisionIn(receipt).decision,
    MEANING[state],
  ]);
  return formatTable(['INDEX', 'RELEASE', 'DECISION', 'FOUND'], rows, ['right']);
}

function tell(file: string): string {
  return `evidence is in ${file}: show it to whoever relies on the release`;
}

function toJson({ receipt, state }: CheckedReceipt, evidence: string | undefined) {
  const { release: reference, digest, index, label } = receipt;
  const { decision } = decisionIn(receipt);
  const said = { reference, digest, decision, envelope: nameOf(nodeHost, receipt) };
  return { ...said, index, label, state, ...(evidence === undefined ? {} : { evidence }) };
}
