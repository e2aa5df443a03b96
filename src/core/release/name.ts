/**
 * Names and references.
 *
 *     acme/kimi-k2                     a model: namespace/name
 *     acme/kimi-k2@v1.0                one release of it
 *     acme/kimi-k2@sha256:9f86d0…      the release whose manifest has that digest
 *
 * Namespace and name are what Hugging Face and OCI clients both accept; a version is a
 * valid OCI tag (OCI distribution 1.1, "Pulling manifests"). Models are looked up after
 * lower-casing, so `Acme/Kimi-K2` asks for `acme/kimi-k2`; nothing is ever stored otherwise.
 */
import { type Digest, parseDigest } from '../digest.ts';
import { CodedError } from '../error.ts';

declare const brand: unique symbol;

/** A checked namespace. */
export type Namespace = string & { readonly [brand]: 'Namespace' };
/** A checked model name, without its namespace. */
export type ModelName = string & { readonly [brand]: 'ModelName' };
/** A checked version. Case is kept for show; two that differ in case alone are the same. */
export type Version = string & { readonly [brand]: 'Version' };

/** One model: all its releases share it. */
export interface Model {
  readonly namespace: Namespace;
  readonly name: ModelName;
}

/** One release of one model. */
export interface ReleaseName extends Model {
  readonly version: Version;
}

/** What a person types to ask for a release. Without `at` it means the newest. */
export interface Reference extends Model {
  readonly at?: { readonly version: Version } | { readonly digest: Digest };
}

/** The longest `namespace/name`, in characters, that every client accepts. */
export const MAX_MODEL_LENGTH = 96;

const COMPONENT = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const VERSION = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Every first path segment of a route, and what people would take for one: no namespace may have it. */
export const RESERVED_NAMESPACES: ReadonlySet<string> = new Set([
  'api',
  'v2',
  'log',
  'livez',
  'readyz',
  'metrics',
  'login',
  'logout',
  'search',
  'static',
  'models',
  'datasets',
  'spaces',
  'settings',
  'docs',
  'help',
  'about',
  'admin',
  'assets',
  'audit',
  'well-known',
  'favicon.ico',
  'robots.txt',
  'root',
  'registry',
  'weighhouse',
  'library',
]);

/** Taken for routes when there were registries already: who has one keeps it, and none begins any more. */
export const NEWLY_RESERVED_NAMESPACES: ReadonlySet<string> = new Set([
  'token',
  'all',
  'sitemap.xml',
]);

/** Versions that clients give a meaning of their own. */
const RESERVED_VERSIONS: ReadonlySet<string> = new Set(['main', 'latest', 'head']);

/** Parses a namespace; throws `bad-name`. */
export function parseNamespace(text: string): Namespace {
  const lower = parseComponent(text, 'namespace');
  if (RESERVED_NAMESPACES.has(lower))
    throw new CodedError('bad-name', `the namespace "${lower}" is reserved`);
  return lower as Namespace;
}

/** Parses a model's name without its namespace; throws `bad-name`. */
export function parseModelName(text: string): ModelName {
  return parseComponent(text, 'model name') as ModelName;
}

/** Parses `namespace/name`; throws `bad-name`. */
export function parseModel(text: string): Model {
  const [namespace, name, ...rest] = text.split('/');
  if (namespace === undefined || name === undefined || rest.length > 0) {
    throw new CodedError('bad-name', `"${shown(text)}" is not of the form namespace/name`);
  }
  if (text.length > MAX_MODEL_LENGTH) {
    throw new CodedError(
      'bad-name',
      `"${shown(text)}" is longer than ${MAX_MODEL_LENGTH} characters`,
    );
  }
  return { namespace: parseNamespace(namespace), name: parseModelName(name) };
}

/** Parses a version; throws `bad-name`. */
export function parseVersion(text: string): Version {
  if (!VERSION.test(text)) {
    throw new CodedError(
      'bad-name',
      `"${shown(text)}" is no version: use letters, digits, ".", "_" and "-", at most 128, not starting with "." or "-"`,
    );
  }
  const lower = text.toLowerCase();
  if (RESERVED_VERSIONS.has(lower) || /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(lower)) {
    throw new CodedError(
      'bad-name',
      `the version "${text}" is reserved: clients give it a meaning of their own`,
    );
  }
  return text as Version;
}

/** Under which a version is stored and compared: versions are unique after lower-casing. */
export function versionKey(version: Version): string {
  return version.toLowerCase();
}

/** Parses `namespace/name@version`; throws `bad-name` or `bad-reference`. */
export function parseReleaseName(text: string): ReleaseName {
  const reference = parseReference(text);
  if (reference.at === undefined || !('version' in reference.at)) {
    throw new CodedError(
      'bad-reference',
      `"${shown(text)}" must name a version: namespace/name@version`,
    );
  }
  return { namespace: reference.namespace, name: reference.name, version: reference.at.version };
}

/** Parses any reference; throws `bad-name` or `bad-reference`. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  if (at < 0) return parseModel(text);
  const model = parseModel(text.slice(0, at));
  const rest = text.slice(at + 1);
  if (rest.startsWith('sha256:'))
    return { ...model, at: { digest: parseDigest(rest, 'the reference’s digest') } };
  return { ...model, at: { version: parseVersion(rest) } };
}

/** `namespace/name`. */
export function formatModel(model: Model): string {
  return `${model.namespace}/${model.name}`;
}

/** `namespace/name@version`. */
export function formatReleaseName(release: ReleaseName): string {
  return `${formatModel(release)}@${release.version}`;
}

/** As a person would type it. */
export function formatReference(reference: Reference): string {
  if (reference.at === undefined) return formatModel(reference);
  return `${formatModel(reference)}@${'version' in reference.at ? reference.at.version : reference.at.digest}`;
}

/**
 * What two names look like at a glance (`0`=`o`, `1`=`l`=`i`, `rn`=`m`, separators
 * dropped). A new namespace whose skeleton another has needs the operator's override.
 */
export function skeleton(namespace: Namespace): string {
  return namespace
    .replace(/[._-]/g, '')
    .replace(/0/g, 'o')
    .replace(/[1i]/g, 'l')
    .replace(/rn/g, 'm');
}

function parseComponent(text: string, what: string): string {
  const lower = text.toLowerCase();
  if (text.length > MAX_MODEL_LENGTH || !COMPONENT.test(lower)) {
    throw new CodedError(
      'bad-name',
      `"${shown(text)}" is no ${what}: use a-z and 0-9, with single ".", "_" or "-" between them`,
    );
  }
  if (lower.endsWith('.git') || lower.endsWith('.ipynb')) {
    throw new CodedError('bad-name', `a ${what} may not end in .git or .ipynb`);
  }
  return lower;
}

/** At most 80 characters of what somebody sent, without control characters. */
function shown(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
