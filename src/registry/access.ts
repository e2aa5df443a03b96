/**
 * Who may do what, decided from the token's claims alone. Every use case asks here first,
 * before it looks at the store: a refusal must not tell whether something is there.
 *
 * An upload session's credential and a CI job have no role. `requireRole` refuses both, so
 * that a use case which is new is closed to them; what they may do is opened one by one, by
 * `requirePusher`, `requireUploader` and `requireDraftReader`. The server asks `refuseCiJob`
 * before it reads a request to any endpoint that is not marked as part of a push.
 */
import { CodedError } from '../core/error.ts';
import {
  formatModel,
  formatReleaseName,
  type Namespace,
  type ReleaseName,
  versionKey,
} from '../core/release/name.ts';
import { PUBLISHING, ROLES, type Role, TAKING_PART } from '../core/release/roles.ts';
import type { Caller } from './registry.ts';

/** Throws `not-authorised` unless the caller has one of `roles` in `namespace`. */
export function requireRole(caller: Caller, namespace: Namespace, roles: readonly Role[]): void {
  if (caller.session !== undefined) throw sessionRefused();
  refuseCiJob(caller);
  requireRoleIn(caller, namespace, roles);
}

/** As `requireRole`, for what is not known to be of any namespace: taking part in some of them. */
export function requireMember(caller: Caller): void {
  if (caller.session !== undefined) throw sessionRefused();
  refuseCiJob(caller);
  if (hasOneOf(caller, TAKING_PART)) return;
  throw refused(`this takes one of the roles ${TAKING_PART.join(', ')} in a namespace`);
}

/** Throws `not-authorised` for a CI job. */
export function refuseCiJob(caller: Caller): void {
  if (caller.ci) throw refused('a CI job can push and seal, and do nothing else');
}

/** As `requireRole` for those who make releases, and for the CI jobs of the namespace. */
function requirePusher(caller: Caller, namespace: Namespace): void {
  if (!caller.ci) requireRole(caller, namespace, PUBLISHING);
  else if (caller.namespace !== namespace) throw otherNamespace(caller, namespace);
}

/**
 * As `requirePusher`; the credential of an upload session is as good for the draft that it
 * was given for.
 */
export function requireUploader(caller: Caller, release: ReleaseName): void {
  const { session } = caller;
  if (session === undefined) requirePusher(caller, release.namespace);
  else if (!isSameRelease(session, release)) {
    throw refused(`this credential is for the upload of ${formatReleaseName(session)} alone`);
  }
}

/**
 * Throws unless the caller may see the draft: everybody who takes part in its namespace, every CI
 * job of it, and the draft's own upload session. A reader sees what is published.
 */
export function requireDraftReader(caller: Caller, release: ReleaseName): void {
  if (caller.session !== undefined || caller.ci) requireUploader(caller, release);
  else requireRole(caller, release.namespace, TAKING_PART);
}

/** May the caller read the bytes of the namespace's releases, where those are not everybody's? */
export function isReader(caller: Caller, namespace: Namespace): boolean {
  const read = namespacesRead(caller);
  return read === 'all' || read?.only === namespace;
}

/**
 * Where the caller is a reader. Any role in a namespace will do. What only uploads does not read,
 * nor does the operator of the registry.
 */
export function namespacesRead(caller: Caller): 'all' | { readonly only: Namespace } | undefined {
  if (caller.session !== undefined || caller.ci || !hasOneOf(caller, ROLES)) return undefined;
  return caller.namespace === undefined ? 'all' : { only: caller.namespace };
}

/** Throws `not-authorised` unless the caller runs the registry. */
export function requireOperator(caller: Caller): void {
  const isOperator = caller.roles.includes('operator') && caller.namespace === undefined;
  if (caller.session === undefined && !caller.ci && isOperator) return;
  throw refused('this takes the role operator, for all namespaces');
}

/** Versions that differ in case alone are the same. */
export function isSameRelease(a: ReleaseName, b: ReleaseName): boolean {
  return formatModel(a) === formatModel(b) && versionKey(a.version) === versionKey(b.version);
}

function requireRoleIn(caller: Caller, namespace: Namespace, roles: readonly Role[]): void {
  if (caller.namespace !== undefined && caller.namespace !== namespace) {
    throw otherNamespace(caller, namespace);
  }
  if (hasOneOf(caller, roles)) return;
  throw refused(`this takes one of the roles ${roles.join(', ')} in ${namespace}`);
}

function hasOneOf(caller: Caller, roles: readonly Role[]): boolean {
  return caller.roles.some((role) => (roles as readonly string[]).includes(role));
}

function sessionRefused(): CodedError {
  return refused('an upload session’s credential is good for its own upload and nothing else');
}

function otherNamespace(caller: Caller, namespace: Namespace): CodedError {
  return refused(`this token is for the namespace ${caller.namespace}, not for ${namespace}`);
}

function refused(why: string): CodedError {
  return new CodedError('not-authorised', `not authorised: ${why}`);
}
