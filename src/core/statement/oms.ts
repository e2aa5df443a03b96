/**
 * OpenSSF Model Signing statements (ossf/model-signing-spec, spec/v1.0.md): which bytes a
 * model is. `model_signing verify key` checks a directory against one.
 *
 *     {"_type":"https://in-toto.io/Statement/v1",
 *      "predicate":{
 *        "resources":[{"algorithm":"sha256","digest":"0ab3…","name":"config.json"}, …],
 *        "serialization":{"allow_symlinks":false,"hash_type":"sha256",
 *                         "ignore_paths":[".weighhouse",".cache/huggingface"],"method":"files"}},
 *      "predicateType":"https://model_signing/signature/v1.0",
 *      "subject":[{"digest":{"sha256":ROOT},"name":"acme/kimi-k2@v1.0"}]}
 *
 * ROOT is the SHA-256 of the raw digests, one after the other in the order of `resources`,
 * which is that of the names' code points. Other verifiers ignore the subject's name; ours
 * demands the release that was asked for, so that one release's signature cannot be served
 * as another's.
 *
 * `ignore_paths` are what `pull` and `hf download` write beside the files. The list is the
 * same in every statement, to the byte: one more path in it and a file could be added there
 * unseen.
 */
import * as v from 'valibot';
import { compareCodePoints, parseHex } from '../bytes.ts';
import { type Digest, digestBytes, digestHex, formatDigest } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { MAX_FILES } from '../release/manifest.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../release/name.ts';
import { parseFilePath } from '../release/path.ts';
import { hex32 } from '../shape.ts';
import { formatStatement, type PredicateType, parseStatement } from './in-toto.ts';

/** One file of a model. */
export interface Resource {
  readonly path: string;
  readonly sha256: Digest;
}

/** What a model signature says. */
export interface ModelStatement {
  readonly release: ReleaseName;
  /** ROOT: what the bytes are, whatever the release is called. */
  readonly root: Digest;
  /** By code point of the path. */
  readonly resources: readonly Resource[];
}

/** What verifiers leave out of account, in the order in which it is written and required. */
export const IGNORE_PATHS = ['.weighhouse', '.cache/huggingface'] as const;

const modelPredicateShape = v.strictObject({
  serialization: v.strictObject({
    method: v.literal('files'),
    hash_type: v.literal('sha256'),
    allow_symlinks: v.literal(false),
    ignore_paths: v.strictTuple([v.literal(IGNORE_PATHS[0]), v.literal(IGNORE_PATHS[1])]),
  }),
  resources: v.pipe(
    v.array(
      v.strictObject({
        algorithm: v.literal('sha256'),
        digest: hex32,
        name: v.string(),
      }),
    ),
    v.minLength(1),
    v.maxLength(MAX_FILES),
  ),
});

const MODEL_SIGNATURE: PredicateType<v.InferOutput<typeof modelPredicateShape>> = {
  uri: 'https://model_signing/signature/v1.0',
  shape: modelPredicateShape,
};

/** The payload of `model.sig` for a release of these files, given in any order. Throws `bad-path` or `bad-statement`. */
export function formatModelStatement(
  host: Pick<Host, 'sha256'>,
  release: ReleaseName,
  files: readonly Resource[],
): Uint8Array {
  if (files.length > MAX_FILES) {
    throw new CodedError('bad-statement', `a release has at most ${MAX_FILES} files`);
  }
  const resources = files.toSorted((a, b) => compareCodePoints(a.path, b.path));
  refuseBadPaths(resources, 'the model’s files');
  return formatStatement(MODEL_SIGNATURE, {
    subjects: [{ name: formatReleaseName(release), digest: modelRoot(host, resources) }],
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [...IGNORE_PATHS],
      },
      resources: resources.map(({ path, sha256 }) => ({
        algorithm: 'sha256' as const,
        digest: digestHex(sha256),
        name: path,
      })),
    },
  });
}

/** Parses a payload and computes its ROOT again. Throws `too-large`, `bad-json`, `bad-path` or `bad-statement`. */
export function parseModelStatement(
  host: Pick<Host, 'sha256'>,
  payload: Uint8Array,
  what = 'the model signature’s statement',
): ModelStatement {
  const { subjects, predicate } = parseStatement(MODEL_SIGNATURE, payload, what);
  const [subject, ...others] = subjects;
  if (subject === undefined || others.length > 0) {
    throw new CodedError('bad-statement', `${what} must have exactly one subject`);
  }
  const resources = predicate.resources.map(({ name, digest }) => ({
    path: name,
    sha256: formatDigest(parseHex(digest)),
  }));
  refuseBadPaths(resources, what);
  if (modelRoot(host, resources) !== subject.digest) {
    throw new CodedError(
      'bad-statement',
      `${what}: its subject’s digest is not that of its resources`,
    );
  }
  return { release: parseSubjectName(subject.name, what), root: subject.digest, resources };
}

/** ROOT over resources that are in order (model-signing-spec, "Statement": the subject’s digest). */
export function modelRoot(host: Pick<Host, 'sha256'>, resources: readonly Resource[]): Digest {
  const digests = new Uint8Array(resources.length * 32);
  resources.forEach(({ sha256 }, i) => {
    digests.set(digestBytes(sha256), i * 32);
  });
  return formatDigest(host.sha256(digests));
}

/** Each path good by itself, and all strictly ascending by code point: then no path stands twice, and ROOT has one order to follow. */
function refuseBadPaths(resources: readonly Resource[], what: string): void {
  for (let i = 0; i < resources.length; i++) {
    parseFilePath(resources[i]!.path);
    if (i > 0 && compareCodePoints(resources[i - 1]!.path, resources[i]!.path) >= 0) {
      throw new CodedError(
        'bad-statement',
        `${what}: resource ${i + 1} stands twice, or not in the order of code points`,
      );
    }
  }
}

/** `ns/name@version`, in the one spelling that is ever written. */
function parseSubjectName(text: string, what: string): ReleaseName {
  const release = parseReleaseName(text);
  if (formatReleaseName(release) !== text) {
    throw new CodedError('bad-statement', `${what}: its subject is not written in lower case`);
  }
  return release;
}
