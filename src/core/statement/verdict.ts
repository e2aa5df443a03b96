/**
 * The gate's verdict on a release, for programs that know nothing of our policies: a SLSA
 * verification summary (slsa.dev/spec/v1.0/verification_summary), signed by the registry.
 *
 *     {"_type":"https://in-toto.io/Statement/v1",
 *      "predicate":{"inputAttestations":[{"digest":{"sha256":ENVELOPE}}, …],
 *                   "policy":{"digest":{"sha256":POLICY},
 *                             "uri":"https://models.example.org/api/v1/namespaces/acme/policy?index=7"},
 *                   "resourceUri":"models.example.org/acme/kimi-k2@v1.0",
 *                   "timeVerified":"2026-02-01T12:00:00.000Z",
 *                   "verificationResult":"PASSED",
 *                   "verifiedLevels":[],
 *                   "verifier":{"id":"https://weighhouse.dev/gate/v0.1"}},
 *      "predicateType":"https://slsa.dev/verification_summary/v1",
 *      "subject":[{"digest":{"sha256":D},"name":"acme/kimi-k2@v1.0"}]}
 *
 * The input attestations are the envelopes of the decisions that the gate looked at, in the
 * order of the log, and the signed intent last. It says PASSED or is not written at all, and
 * claims no SLSA level: how the weights were built is not what the gate asks.
 */
import * as v from 'valibot';
import { parseHex } from '../bytes.ts';
import { type Digest, digestHex, formatDigest } from '../digest.ts';
import { CodedError } from '../error.ts';
import { type Origin, parseOrigin } from '../log/checkpoint.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../release/name.ts';
import { hex32, instant } from '../shape.ts';
import { formatStatement, type PredicateType, parseStatement } from './in-toto.ts';

/** What the registry says of a release that passed its gate. */
export interface GateSummary {
  readonly origin: Origin;
  readonly release: ReleaseName;
  /** D. */
  readonly digest: Digest;
  /** The policy that was met: its log index and its digest. */
  readonly policy: { readonly index: number; readonly digest: Digest };
  /** When the gate was asked. */
  readonly time: string;
  /** Digests of the envelopes that the gate looked at. */
  readonly inputs: readonly Digest[];
}

/** Envelopes that one verdict may name: all decisions of a release and the intent. */
export const MAX_INPUTS = 10_001;

const VERIFIER = 'https://weighhouse.dev/gate/v0.1';
const sha256 = v.strictObject({ sha256: hex32 });

const summaryShape = v.strictObject({
  verifier: v.strictObject({ id: v.literal(VERIFIER) }),
  timeVerified: instant,
  resourceUri: v.string(),
  policy: v.strictObject({ uri: v.string(), digest: sha256 }),
  inputAttestations: v.pipe(v.array(v.strictObject({ digest: sha256 })), v.maxLength(MAX_INPUTS)),
  verificationResult: v.literal('PASSED'),
  verifiedLevels: v.strictTuple([]),
});
type Summary = v.InferOutput<typeof summaryShape>;

const SUMMARY: PredicateType<Summary> = {
  uri: 'https://slsa.dev/verification_summary/v1',
  shape: summaryShape,
};

/** The payload to sign. Throws `bad-statement` for what could not be read back. */
export function formatGateSummary(summary: GateSummary): Uint8Array {
  const name = formatReleaseName(summary.release);
  const payload = formatStatement(SUMMARY, {
    subjects: [{ name, digest: summary.digest }],
    predicate: {
      verifier: { id: VERIFIER },
      timeVerified: summary.time,
      resourceUri: resourceUri(summary),
      policy: { uri: policyUri(summary), digest: { sha256: digestHex(summary.policy.digest) } },
      inputAttestations: summary.inputs.map((input) => ({ digest: { sha256: digestHex(input) } })),
      verificationResult: 'PASSED',
      verifiedLevels: [],
    },
  });
  parseGateSummary(payload);
  return payload;
}

/** Parses a payload. Throws `too-large`, `bad-json`, `bad-name` or `bad-statement`. */
export function parseGateSummary(payload: Uint8Array, what = 'the verdict'): GateSummary {
  const { subjects, predicate } = parseStatement(SUMMARY, payload, what);
  const [subject] = subjects;
  if (subject === undefined || subjects.length !== 1) {
    throw new CodedError('bad-statement', `${what} must have one subject`);
  }
  const summary: GateSummary = {
    origin: parseOrigin(predicate.resourceUri.split('/')[0]!),
    release: parseReleaseName(subject.name),
    digest: subject.digest,
    policy: {
      index: parsePolicyIndex(predicate.policy.uri, what),
      digest: formatDigest(parseHex(predicate.policy.digest.sha256)),
    },
    time: predicate.timeVerified,
    inputs: predicate.inputAttestations.map(({ digest }) => formatDigest(parseHex(digest.sha256))),
  };
  const agrees =
    subject.name === formatReleaseName(summary.release) &&
    predicate.resourceUri === resourceUri(summary) &&
    predicate.policy.uri === policyUri(summary);
  if (agrees) return summary;
  throw new CodedError('bad-statement', `${what}: its subject, resource and policy do not agree`);
}

function resourceUri({ origin, release }: GateSummary): string {
  return `${origin}/${formatReleaseName(release)}`;
}

function policyUri({ origin, release, policy }: GateSummary): string {
  return `https://${origin}/api/v1/namespaces/${release.namespace}/policy?index=${policy.index}`;
}

function parsePolicyIndex(uri: string, what: string): number {
  const digits = /\?index=(0|[1-9][0-9]{0,15})$/.exec(uri)?.[1];
  const index = Number(digits);
  if (Number.isSafeInteger(index)) return index;
  throw new CodedError('bad-statement', `${what}: its policy names no index of the log`);
}
