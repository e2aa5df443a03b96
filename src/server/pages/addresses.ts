/** The address of every page. `-` begins no namespace, so nothing of ours can be in the way of a name. */
import type { Digest } from '../../core/digest.ts';
import {
  formatModel,
  type Model,
  type Namespace,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import { API_PATH } from '../api/endpoint.ts';

/** Where what is no release's page lies. */
export const OWN_PAGES = '/-';

export const HOME = '/';

export function namespacePage(namespace: Namespace): string {
  return `/${namespace}`;
}

export function modelPage(model: Model): string {
  return `/${formatModel(model)}`;
}

export function releasePage(release: ReleaseName): string {
  return `${modelPage(release)}/${release.version}`;
}

/** The page of a release that a document names, `ns/name@version`. */
export function releasePageOf(reference: string): string {
  return releasePage(parseReleaseName(reference));
}

export function filesPage(release: ReleaseName): string {
  return `${releasePage(release)}/files`;
}

export function tensorsPage(release: ReleaseName): string {
  return `${releasePage(release)}/tensors`;
}

/** What changed since `before`, a version of the same model. */
export function diffPage(release: ReleaseName, before: ReleaseName): string {
  return `${releasePage(release)}/diff?${new URLSearchParams({ since: before.version })}`;
}

export function entryPage(index: number): string {
  return `${OWN_PAGES}/log/${index}`;
}

export function advisoryPage(index: number): string {
  return `${ADVISORIES_PAGE}/${index}`;
}

/** The feed of one namespace, or of all. */
export function feedPath(namespace: Namespace | 'all', type: 'atom' | 'json'): string {
  return `${OWN_PAGES}/feeds/${namespace}.${type}`;
}

/** Both of them, for the head of a page. */
export function feedsOf(of: Namespace | 'all') {
  return (['atom', 'json'] as const).map((type) => ({ type, path: feedPath(of, type) }));
}

export const ADVISORIES_PAGE = `${OWN_PAGES}/advisories`;
export const LOG_PAGE = `${OWN_PAGES}/log`;
export const STATUS_PAGE = `${OWN_PAGES}/status`;
export const API_PAGE = `${OWN_PAGES}/api`;

/** A document or file of a release in the native API. */
export function apiOf({ namespace, name, version }: ReleaseName, ...rest: string[]): string {
  const path = rest.flatMap((each) => each.split('/')).map(encodeURIComponent);
  return [API_PATH, 'releases', namespace, name, version, ...path].join('/');
}

/** A file, as the release with that digest has it for ever. */
export function filePath(release: ReleaseName, path: string): string {
  return apiOf(release, 'files', path);
}

/** The report of an evaluation. */
export function reportPath(release: ReleaseName, digest: Digest): string {
  return apiOf(release, 'reports', digest);
}

export const SIGN_IN_PAGE = `${OWN_PAGES}/sign-in`;
export const SIGN_OUT = `${OWN_PAGES}/sign-out`;
export const DRAFTS_PAGE = `${OWN_PAGES}/drafts`;
/** Where a page's script gets the token that it speaks with. */
export const PAGE_TOKEN = `${OWN_PAGES}/token`;

/** Sends whoever posts there to a provider. */
export function providerPage(name: string): string {
  return `${SIGN_IN_PAGE}/${name}`;
}

/** Where a provider sends them back to. */
export function callbackPage(name: string): string {
  return `${providerPage(name)}/callback`;
}

/** Signs in whoever opens it and says yes. */
export function signInPage(code: string): string {
  return `${SIGN_IN_PAGE}?${new URLSearchParams({ code })}`;
}

/** Where somebody lets a machine in. */
export const DEVICE_PAGE = `${OWN_PAGES}/device`;

/** The same, with the code that the machine shows. */
export function devicePage(code: string): string {
  return `${DEVICE_PAGE}?${new URLSearchParams({ code })}`;
}

export function draftPage(release: ReleaseName): string {
  return `${DRAFTS_PAGE}${releasePage(release)}`;
}

/** The report of an evaluation of a draft, for its people. */
export function draftReportPath(release: ReleaseName, digest: Digest): string {
  return `${draftPage(release)}/reports/${digest}`;
}

/** Gives up a draft about which nobody was asked to decide. */
export function withdrawPath(release: ReleaseName): string {
  return `${draftPage(release)}/withdraw`;
}
