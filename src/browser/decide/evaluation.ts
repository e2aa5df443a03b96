/**
 * An evaluation, as `weighhouse evaluate` takes it: suite, result and report. The report is read and
 * hashed here; it is sent once the person has signed, and before the decision is, which must not point
 * to what is nowhere. A private one stays where it is.
 */
import type { Said } from '../../client/decide/decide.ts';
import { formatBytes, formatSeconds } from '../../core/amounts.ts';
import { type Digest, digestOf, parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { MAX_REPORT_BYTES } from '../../core/release/documents.ts';
import type { Policy } from '../../core/release/policy.ts';
import { parseShape } from '../../core/shape.ts';
import { suiteName, type TestOutcome } from '../../core/statement/test-result.ts';
import { element } from '../panel/element.ts';
import { type Asked, ask, field } from './questions.ts';

const RESULTS: readonly TestOutcome[] = ['passed', 'warned', 'failed'];
/** As browsers have patterns, which they anchor by themselves. */
const DIGEST = 'sha256:[0-9a-f]{64}';

/** Undefined when they think better of it. */
export async function askEvaluation(
  host: Pick<Host, 'sha256'>,
  policy: Policy,
): Promise<Asked | undefined> {
  const form = await ask('Evaluate', fieldsOf(policy), 'Go on');
  return form && (await evaluationIn(host, form));
}

/** Throws `usage` and `bad-digest` for fields that say nothing, `too-large` for a report that is. */
async function evaluationIn(host: Pick<Host, 'sha256'>, form: FormData): Promise<Asked> {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const bytes = await read(form.get('report'));
  const isPrivate = form.has('private');
  const report = { digest: digestOf(host, bytes), size: bytes.length };
  const said: Said = {
    decision: 'evaluate',
    suite: parseShape(suiteName, text('suite'), 'the suite', 'usage'),
    result: text('result') as TestOutcome,
    report: isPrivate ? { ...report, private: true } : report,
    ...optionalDigest('harness', text('harness')),
    ...optionalDigest('thresholds', text('thresholds')),
  };
  return isPrivate ? { said } : { said, report: bytes };
}

function fieldsOf(policy: Policy): HTMLElement[] {
  const suites = policy.gate.evaluations ?? [];
  const known = element(
    'datalist',
    { id: 'suites' },
    ...suites.map(({ suite }) => element('option', { value: suite })),
  );
  const suite = element('input', {
    ...{ name: 'suite', required: true, list: 'suites', autocomplete: 'off' },
    ...{ pattern: '[a-z0-9][a-z0-9._\\-]{0,62}', title: 'a-z, 0-9, ".", "_", "-", at most 63' },
  });
  const [only] = suites;
  if (only !== undefined && suites.length === 1) suite.value = only.suite;
  const results = RESULTS.map((result) => element('option', { value: result }, result));
  const unsaid = element('option', { value: '' }, 'choose how it ended');
  return [
    ...suites.map((asked) => element('p', { class: 'small' }, askedBy(asked))),
    known,
    field('Suite', suite),
    field('Result', element('select', { name: 'result', required: true }, unsaid, ...results)),
    field('Report', element('input', { name: 'report', type: 'file', required: true })),
    element(
      'label',
      { class: 'tick' },
      element('input', { name: 'private', type: 'checkbox' }),
      ' The report stays here: only its digest is ever public',
    ),
    digestField('harness', 'Digest of the program that ran the suite, if you name it'),
    digestField('thresholds', 'Digest of the limits that it was held against, if you name them'),
  ];
}

/** What the policy asks of a suite, so that nobody signs what will not count. */
function askedBy({
  suite,
  accept,
  harness,
  thresholds,
  maxAge,
}: NonNullable<Policy['gate']['evaluations']>[number]): string {
  const limits = [
    ...(harness === undefined ? [] : [`run by ${harness}`]),
    ...(thresholds === undefined ? [] : [`held against ${thresholds}`]),
    ...(maxAge === undefined ? [] : [`not older than ${formatSeconds(maxAge)}`]),
  ];
  return `The policy asks for ${suite}: ${[accept.join(' or '), ...limits].join(', ')}.`;
}

function digestField(name: string, label: string): HTMLElement {
  const attributes = { name, pattern: DIGEST, placeholder: 'sha256:…', autocomplete: 'off' };
  return field(label, element('input', attributes));
}

async function read(file: FormDataEntryValue | null): Promise<Uint8Array> {
  if (!(file instanceof File)) throw new CodedError('usage', 'an evaluation needs its report');
  if (file.size > MAX_REPORT_BYTES) {
    throw new CodedError(
      'too-large',
      `the report ${file.name} has ${formatBytes(file.size)}; the limit is ${formatBytes(MAX_REPORT_BYTES)}`,
    );
  }
  const bytes = await file.arrayBuffer().catch(() => {
    throw new CodedError('not-found', `the report ${file.name} cannot be read; choose it again`);
  });
  return new Uint8Array(bytes);
}

function optionalDigest<Name extends string>(name: Name, text: string) {
  return text === '' ? {} : ({ [name]: parseDigest(text, `the ${name}`) } as Record<Name, Digest>);
}
