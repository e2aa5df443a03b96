/**
 * An evaluation: somebody ran a suite of tests on the sealed bytes. An in-toto statement with
 * the test-result predicate (in-toto/attestation, spec/predicates/test-result.md, version 0.1),
 * to which we add `report` and `context`:
 *
 *     {"_type":"https://in-toto.io/Statement/v1",
 *      "predicate":{"configuration":[{"digest":{"sha256":HARNESS},"name":"safety",
 *                                     "uri":"urn:weighhouse:suite:safety"},
 *                                    {"digest":{"sha256":THRESHOLDS},"name":"thresholds"}],
 *                   "context":{…},
 *                   "report":{"digest":{"sha256":REPORT},"size":48213},
 *                   "result":"PASSED"},
 *      "predicateType":"https://in-toto.io/attestation/test-result/v0.1",
 *      "subject":[{"digest":{"sha256":D},"name":"acme/kimi-k2@v1.0"}]}
 *
 * HARNESS is the digest of the program that ran, THRESHOLDS of the limits that its results were
 * held against; both may be left out. The report itself is either revealed beside the release
 * or stays where it is (`"private":true`), and then only its digest is ever public.
 */
import * as v from 'valibot';
import { parseHex } from '../bytes.ts';
import { type Digest, digestHex, formatDigest } from '../digest.ts';
import { count, hex32 } from '../shape.ts';
import { contextShape, type Decided, decidedBy, subjectOf } from './decision-context.ts';
import { formatStatement, type PredicateType, parseStatement } from './in-toto.ts';

/** The name of a suite of tests. */
export const suiteName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be a-z, 0-9, ".", "_", "-", at most 63'),
);

export type TestOutcome = 'passed' | 'warned' | 'failed';

/** What an evaluator signs. */
export interface Evaluation extends Decided {
  readonly decision: 'evaluate';
  readonly suite: string;
  readonly result: TestOutcome;
  readonly harness?: Digest;
  readonly thresholds?: Digest;
  readonly report: {
    readonly digest: Digest;
    readonly size: number;
    /** Only the digest is ever public. */
    readonly private?: true;
  };
}

const sha256 = v.strictObject({ sha256: hex32 });
const URN = 'urn:weighhouse:suite:';
const RESULTS = { passed: 'PASSED', warned: 'WARNED', failed: 'FAILED' } as const;
const OUTCOMES = { PASSED: 'passed', WARNED: 'warned', FAILED: 'failed' } as const;

const suiteShape = v.pipe(
  v.strictObject({ name: suiteName, uri: v.string(), digest: v.exactOptional(sha256) }),
  v.check(({ name, uri }) => uri === URN + name, `uri must be ${URN} and the name`),
);
const thresholdsShape = v.strictObject({ name: v.literal('thresholds'), digest: sha256 });

const testResultShape = v.strictObject({
  result: v.picklist(['PASSED', 'WARNED', 'FAILED']),
  configuration: v.union([
    v.strictTuple([suiteShape]),
    v.strictTuple([suiteShape, thresholdsShape]),
  ]),
  report: v.strictObject({
    digest: sha256,
    size: count,
    private: v.exactOptional(v.literal(true)),
  }),
  context: contextShape,
});
type TestResult = v.InferOutput<typeof testResultShape>;

export const TEST_RESULT: PredicateType<TestResult> = {
  uri: 'https://in-toto.io/attestation/test-result/v0.1',
  shape: testResultShape,
};

/** The payload to sign. Throws `bad-statement` for what could not be read back. */
export function formatEvaluation(evaluation: Evaluation): Uint8Array {
  const payload = formatStatement(TEST_RESULT, {
    subjects: [subjectOf(evaluation)],
    predicate: toPredicate(evaluation),
  });
  parseEvaluation(payload);
  return payload;
}

/** Parses a payload. Throws `too-large`, `bad-json`, `bad-name` or `bad-statement`. */
export function parseEvaluation(payload: Uint8Array, what = 'the evaluation'): Evaluation {
  const statement = parseStatement(TEST_RESULT, payload, what);
  const { result, configuration, report } = statement.predicate;
  const [suite, thresholds] = configuration;
  return {
    decision: 'evaluate',
    ...decidedBy(statement, what),
    suite: suite.name,
    result: OUTCOMES[result],
    ...(suite.digest && { harness: fromSet(suite.digest) }),
    ...(thresholds && { thresholds: fromSet(thresholds.digest) }),
    report: { ...report, digest: fromSet(report.digest) },
  };
}

function toPredicate(evaluation: Evaluation): TestResult {
  const { suite: name, result, harness, thresholds, report, context } = evaluation;
  const suite = { name, uri: URN + name, ...(harness && { digest: toSet(harness) }) };
  return {
    result: RESULTS[result],
    configuration:
      thresholds === undefined
        ? [suite]
        : [suite, { name: 'thresholds', digest: toSet(thresholds) }],
    report: { ...report, digest: toSet(report.digest) },
    context,
  };
}

/** in-toto's DigestSet. */
function toSet(digest: Digest): v.InferOutput<typeof sha256> {
  return { sha256: digestHex(digest) };
}

function fromSet({ sha256: hex }: v.InferOutput<typeof sha256>): Digest {
  return formatDigest(parseHex(hex));
}
