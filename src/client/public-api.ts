/**
 * The part of the native API that anybody may ask: releases, what the log and the well-known
 * documents say, and what signed them. It is all that a page in a browser needs. As `api.ts`:
 * nothing of it is trusted before it was checked against the log.
 */
import { MAX_BUNDLE_BYTES, type TilePath } from '../core/log/tile.ts';
import { MAX_NOTE_BYTES } from '../core/note/note.ts';
import { MAX_CHUNK_LIST_BYTES } from '../core/release/chunks.ts';
import { type DocumentName, MAX_DOCUMENT_BYTES } from '../core/release/documents.ts';
import type { Model, ReleaseName } from '../core/release/name.ts';
import { ROOT_LIMITS } from '../core/trust/root.ts';
import { Http, type HttpOptions } from './http.ts';
import { throwOfLog } from './problem.ts';
import * as answers from './public-answers.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export class PublicApi {
  readonly http: Http;

  constructor(options: HttpOptions) {
    this.http = new Http(options);
  }

  releases(
    query: {
      readonly namespace?: string | undefined;
      readonly query?: string | undefined;
      readonly limit?: number | undefined;
      /** The `next` of the page before. */
      readonly before?: number | undefined;
    },
    options: CallOptions = {},
  ) {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const path = `/api/v1/releases?${parameters}`;
    return this.http.json(answers.releaseList, { path, ...options });
  }

  model(model: Model, options: CallOptions = {}) {
    return this.http.json(answers.modelReleases, { path: modelPath(model), ...options });
  }

  history(model: Model, options: CallOptions = {}) {
    return this.http.json(answers.history, { path: `${modelPath(model)}/history`, ...options });
  }

  /** `at` is a version or a digest. */
  release(model: Model, at: string, options: CallOptions = {}) {
    const path = `${modelPath(model)}/${encodeURIComponent(at)}`;
    return this.http.json(answers.shownRelease, { path, maxBytes: MAX_DOCUMENT_BYTES, ...options });
  }

  /** The exact bytes of a release's document. */
  document(
    release: ReleaseName,
    document: DocumentName,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const path = `${releasePath(release)}/${document}`;
    return this.http.bytes({ path, maxBytes: MAX_DOCUMENT_BYTES, ...options });
  }

  chunkList(release: ReleaseName, file: string, options: CallOptions = {}): Promise<Uint8Array> {
    const path = `${releasePath(release)}/chunks/${encodePath(file)}`;
    return this.http.bytes({ path, maxBytes: MAX_CHUNK_LIST_BYTES, ...options });
  }

  /** Where the content of a file is. */
  fileUrl(release: ReleaseName, file: string): string {
    return `${this.http.url}${releasePath(release)}/files/${encodePath(file)}`;
  }

  // The log and the well-known documents.

  checkpoint(options: CallOptions = {}): Promise<Uint8Array> {
    return this.http.bytes({ path: '/log/checkpoint', maxBytes: MAX_NOTE_BYTES, ...options });
  }

  /** A tile, or undefined when the log has none there. Throws `bad-tile` for one that is damaged. */
  tile(path: TilePath, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    const request = { path: `/log/${path}`, maxBytes: MAX_BUNDLE_BYTES, ...options };
    return this.http.bytesIfAny(request).catch(throwOfLog);
  }

  /** Version `version` of root.json, or undefined when there is none. */
  root(version: number, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    const path = `/.well-known/weighhouse/root/${version}.json`;
    return this.http.bytesIfAny({ path, maxBytes: ROOT_LIMITS.maxBytes, ...options });
  }

  configuration(options: CallOptions = {}) {
    const path = '/.well-known/weighhouse/config.json';
    return this.http.json(answers.configuration, { path, ...options });
  }

  // Namespaces.

  policy(namespace: string, index?: number, options: CallOptions = {}) {
    const at = index === undefined ? '' : `?index=${index}`;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/policy${at}`;
    return this.http.json(answers.signedPolicy, { path, ...options });
  }

  freshness(namespace: string, options: CallOptions = {}) {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/head`;
    return this.http.json(answers.freshness, { path, maxBytes: MAX_DOCUMENT_BYTES, ...options });
  }

  policies(namespace: string, options: CallOptions = {}) {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/policies`;
    return this.http.json(answers.policyList, { path, ...options });
  }

  advisory(index: number, options: CallOptions = {}) {
    return this.http.json(answers.advisoryEnvelope, {
      path: `/api/v1/advisories/${index}`,
      ...options,
    });
  }
}

export function releasePath({ namespace, name, version }: ReleaseName): string {
  return `/api/v1/releases/${namespace}/${name}/${version}`;
}

function modelPath({ namespace, name }: Model): string {
  return `/api/v1/releases/${namespace}/${name}`;
}

/** Segment by segment; the slashes stay. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
