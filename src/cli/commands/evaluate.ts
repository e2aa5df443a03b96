/** `evaluate REF --suite …`: says with a personal key how a suite of tests ended on what is sealed. */
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Said } from '../../client/decide/decide.ts';
import { formatBytes } from '../../core/amounts.ts';
import { type Digest, digestOf, parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { MAX_REPORT_BYTES } from '../../core/release/documents.ts';
import { parseShape } from '../../core/shape.ts';
import { suiteName, type TestOutcome } from '../../core/statement/test-result.ts';
import { nodeHost } from '../../hashing/host.ts';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare(
      'evaluate',
      'evaluate acme/kimi-k2@v1.0 --suite safety --result passed --report report.json --key eve.key',
    )
      .requiredOption('--suite <name>', 'which suite of tests')
      .addOption(
        new Option('--result <result>', 'how it ended')
          .choices(['passed', 'warned', 'failed'])
          .makeOptionMandatory(),
      )
      .requiredOption('--report <file>', 'its report, revealed with the release')
      .option('--private-report', 'the report stays here: only its digest is ever public')
      .option('--harness <digest>', 'digest of the program that ran the suite')
      .option('--thresholds <digest>', 'digest of the limits that it was held against'),
  ).action(run(evaluate));
}

interface EvaluateFlags extends DecideFlags {
  readonly suite: string;
  readonly result: TestOutcome;
  readonly report: string;
  readonly privateReport?: boolean;
  readonly harness?: string;
  readonly thresholds?: string;
}

async function evaluate(context: Context, flags: EvaluateFlags, reference: string): Promise<void> {
  const bytes = await readReport(flags.report);
  const said = whatIsSaid(flags, bytes);
  await runDecision(context, flags, reference, async ({ reader }, release) => {
    // Before it is named: a decision must not point to what is nowhere.
    if (flags.privateReport !== true) {
      await reader.api.putReport(release, bytes, { signal: context.signal });
    }
    return said;
  });
}

function whatIsSaid(flags: EvaluateFlags, bytes: Uint8Array): Said {
  const suite = parseShape(suiteName, flags.suite, '--suite', 'usage');
  const report = { digest: digestOf(nodeHost, bytes), size: bytes.length };
  return {
    decision: 'evaluate',
    suite,
    result: flags.result,
    report: flags.privateReport === true ? { ...report, private: true } : report,
    ...optionalDigest('harness', flags.harness),
    ...optionalDigest('thresholds', flags.thresholds),
  };
}

function optionalDigest<Name extends string>(name: Name, text: string | undefined) {
  if (text === undefined) return {};
  return { [name]: parseDigest(text, `--${name}`) } as Record<Name, Digest>;
}

async function readReport(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the report ${file} cannot be read (${error.code})`);
  });
  if (bytes.length <= MAX_REPORT_BYTES) return new Uint8Array(bytes);
  throw new CodedError(
    'too-large',
    `the report ${file} has ${formatBytes(bytes.length)}; the limit is ${formatBytes(MAX_REPORT_BYTES)}`,
  );
}
