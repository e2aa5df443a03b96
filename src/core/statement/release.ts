/**
 * The statement in `release.dsse`: the registry published this manifest, which is these
 * bytes, under this name. It is an in-toto statement with the release predicate
 * (in-toto/attestation, spec/predicates/release.md, version 0.1):
 *
 *     {"_type":"https://in-toto.io/Statement/v1",
 *      "predicate":{"purl":"pkg:generic/acme/kimi-k2@v1.0",
 *                   "releaseId":"models.example.org/acme/kimi-k2"},
 *      "predicateType":"https://in-toto.io/attestation/release/v0.1",
 *      "subject":[{"digest":{"sha256":D},"name":"manifest.json"},
 *                 {"digest":{"sha256":ROOT},"name":"acme/kimi-k2@v1.0"}]}
 *
 * Two subjects: D, the SHA-256 of the manifest, which is the release's digest; and ROOT,
 * named and computed as in the model signature (`oms.ts`), so that whoever holds either
 * finds the other here.
 *
 * The purl has the type `generic`, because package-url knows no type for models of any
 * registry but two hubs, and no qualifiers, which the predicate's parsing rules ask for.
 * Which registry is meant stands in `releaseId`: the origin and the model, without the
 * version, since the predicate wants it stable from one version to the next (0.2 therefore
 * calls it `packageId`). Names are never recycled, so origin and name are such an identifier.
 * No character of our names needs percent-encoding in a purl.
 */
import * as v from 'valibot';
import type { Digest } from '../digest.ts';
import { CodedError } from '../error.ts';
import { type Origin, parseOrigin } from '../log/checkpoint.ts';
import {
  formatModel,
  formatReleaseName,
  parseReleaseName,
  type ReleaseName,
} from '../release/name.ts';
import { formatStatement, type PredicateType, parseStatement, type Statement } from './in-toto.ts';

/** What the registry says when it publishes. */
export interface ReleaseStatement {
  /** The registry's origin: a bare host name. */
  readonly origin: Origin;
  readonly release: ReleaseName;
  /** D: the SHA-256 of the manifest. */
  readonly manifest: Digest;
  /** ROOT: what the bytes are. */
  readonly root: Digest;
}

const MANIFEST_NAME = 'manifest.json';
const PURL_PREFIX = 'pkg:generic/';

const releasePredicateShape = v.strictObject({ purl: v.string(), releaseId: v.string() });
type ReleasePredicate = v.InferOutput<typeof releasePredicateShape>;

const RELEASE: PredicateType<ReleasePredicate> = {
  uri: 'https://in-toto.io/attestation/release/v0.1',
  shape: releasePredicateShape,
};

/** The payload of `release.dsse`. Throws `bad-statement` for what could not be read back. */
export function formatReleaseStatement(statement: ReleaseStatement): Uint8Array {
  const payload = formatStatement(RELEASE, toInToto(statement));
  parseReleaseStatement(payload);
  return payload;
}

/** Parses a payload. Throws `too-large`, `bad-json`, `bad-name` or `bad-statement`. */
export function parseReleaseStatement(
  payload: Uint8Array,
  what = 'the release statement',
): ReleaseStatement {
  const found = parseStatement(RELEASE, payload, what);
  const [manifest, model] = found.subjects;
  if (manifest === undefined || model === undefined || found.subjects.length !== 2) {
    throw new CodedError('bad-statement', `${what} must have two subjects: manifest and model`);
  }
  const release = parseReleaseName(model.name);
  const statement: ReleaseStatement = {
    origin: parseReleaseId(found.predicate.releaseId, release, what),
    release,
    manifest: manifest.digest,
    root: model.digest,
  };
  refuseDisagreement(found, toInToto(statement), what);
  return statement;
}

function toInToto(statement: ReleaseStatement): Statement<ReleasePredicate> {
  const name = formatReleaseName(statement.release);
  return {
    subjects: [
      { name: MANIFEST_NAME, digest: statement.manifest },
      { name, digest: statement.root },
    ],
    predicate: {
      purl: PURL_PREFIX + name,
      releaseId: `${statement.origin}/${formatModel(statement.release)}`,
    },
  };
}

/** The origin before `/ns/name`. */
function parseReleaseId(releaseId: string, release: ReleaseName, what: string): Origin {
  const model = `/${formatModel(release)}`;
  const origin = releaseId.slice(0, -model.length);
  if (!releaseId.endsWith(model)) {
    throw new CodedError('bad-statement', `${what}: its releaseId is not of its subject`);
  }
  return parseOrigin(origin);
}

/** The name stands in three places; all three must be what we would have written. */
function refuseDisagreement(
  found: Statement<ReleasePredicate>,
  expected: Statement<ReleasePredicate>,
  what: string,
): void {
  const names = ({ subjects, predicate }: Statement<ReleasePredicate>): readonly string[] => [
    ...subjects.map(({ name }) => name),
    predicate.purl,
    predicate.releaseId,
  ];
  const wanted = names(expected);
  if (names(found).some((name, i) => name !== wanted[i])) {
    throw new CodedError('bad-statement', `${what}: its subjects, purl and releaseId do not agree`);
  }
}
