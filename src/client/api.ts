/**
 * The native HTTP API, one method a route (`/api/v1/openapi.json` describes them): drafts and lists
 * here, the gate in `gate-api.ts`, what proofs are made of in `public-api.ts`. Methods give back what
 * the server said in a checked shape; whether it is true is for `release.ts` and `freshness.ts` to
 * find out.
 */
import { formatBase64 } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import type { Json } from '../core/json.ts';
import { type Claims, claimsOf } from '../core/release/claims.ts';
import { MAX_DOCUMENT_BYTES } from '../core/release/documents.ts';
import { MANIFEST_LIMITS } from '../core/release/manifest.ts';
import type { Model, ReleaseName } from '../core/release/name.ts';
import { type Envelope, envelopeToJson } from '../core/statement/dsse.ts';
import * as answers from './answers.ts';
import { draftPath, GateApi } from './gate-api.ts';
import type { HttpRequest } from './http.ts';
import type { CallOptions } from './public-api.ts';

export interface Declaration {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly chunks: { readonly size: number; readonly root: Digest };
}

/** A part by its number, from 1. */
export interface NamedPart {
  readonly number: number;
  readonly sha256: Digest;
}

/** What is to be sealed. */
export interface SealRequest extends Claims {
  /** 32 bytes in lower-case hex. */
  readonly nonce: string;
  readonly paths: readonly string[];
}

/** What a push is going to declare. */
interface Plan {
  readonly files: number;
  readonly bytes: number;
}

/** Options of calls that an upload session may make with its own credential. */
interface SessionOptions extends CallOptions {
  readonly session?: string | undefined;
}

export class Api extends GateApi {
  // Drafts.

  /** `plan` is all that is going to be declared: a registry refuses now what cannot fit. */
  openDraft(
    release: ReleaseName,
    { plan, ...options }: CallOptions & { readonly plan?: Plan } = {},
  ) {
    const query = plan === undefined ? '' : `?files=${plan.files}&bytes=${plan.bytes}`;
    const request = { method: 'PUT', path: draftPath(release) + query, ...options } as const;
    return this.http.json(answers.openedDraft, request);
  }

  draftStatus(release: ReleaseName, options: SessionOptions = {}) {
    return this.http.json(answers.draftStatus, asSession({ path: draftPath(release) }, options));
  }

  withdraw(release: ReleaseName, options: CallOptions = {}) {
    const request = { method: 'DELETE', path: draftPath(release), ...options } as const;
    return this.http.json(answers.draftStatus, request);
  }

  declareFile(release: ReleaseName, file: Declaration, options: SessionOptions = {}) {
    const { path, size, sha256, chunks } = file;
    const json = { path, size, sha256, chunks: { size: chunks.size, root: chunks.root } };
    return this.http.json(answers.fileTicket, this.#draftPost(release, 'files', json, options));
  }

  completeUpload(release: ReleaseName, upload: string, options: SessionOptions = {}) {
    const route = `uploads/${encodeURIComponent(upload)}/complete`;
    return this.http.json(answers.fileTicket, this.#draftPost(release, route, {}, options));
  }

  /** Requests by which these parts are put into the store itself, in the order asked for. */
  signParts(
    release: ReleaseName,
    upload: string,
    parts: readonly NamedPart[],
    options: SessionOptions = {},
  ) {
    const route = `uploads/${encodeURIComponent(upload)}/requests`;
    const json = { parts: parts.map(({ number, sha256 }) => ({ number, sha256 })) };
    return this.http.json(answers.signedParts, this.#draftPost(release, route, json, options));
  }

  /** Says which parts the store has taken, and under which tags. */
  noteParts(
    release: ReleaseName,
    upload: string,
    parts: readonly (NamedPart & { readonly tag: string })[],
    options: SessionOptions = {},
  ) {
    const route = `uploads/${encodeURIComponent(upload)}/parts`;
    const json = { parts: parts.map(({ number, sha256, tag }) => ({ number, sha256, tag })) };
    return this.http.json(answers.notedParts, this.#draftPost(release, route, json, options));
  }

  /** Where the bytes of one part are put. */
  partUrl(release: ReleaseName, upload: string, number: number): string {
    const route = `uploads/${encodeURIComponent(upload)}/parts/${number}`;
    return `${this.http.url}${draftPath(release)}/${route}`;
  }

  seal(release: ReleaseName, request: SealRequest, options: SessionOptions = {}) {
    const { nonce, paths } = request;
    const json = { nonce, paths, ...claimsOf(request) };
    return this.http.json(answers.draftStatus, this.#draftPost(release, 'seal', json, options));
  }

  draftManifest(release: ReleaseName, options: SessionOptions = {}): Promise<Uint8Array> {
    const path = `${draftPath(release)}/manifest.json`;
    return this.http.bytes(asSession({ path, maxBytes: MANIFEST_LIMITS.maxBytes }, options));
  }

  /** `intent` is the release manager's signature, where the policy is gated. */
  publish(
    release: ReleaseName,
    digest: Digest | undefined,
    { intent, ...options }: CallOptions & { readonly intent?: Envelope | undefined } = {},
  ) {
    const json = {
      ...(digest !== undefined && { digest }),
      ...(intent !== undefined && { intent: envelopeToJson(intent) }),
    };
    return this.http.json(answers.published, this.#draftPost(release, 'publish', json, options));
  }

  /** Exchanges a CI job's identity token for one that pushes to `namespace` (RFC 8693). */
  exchangeToken(namespace: string, identityToken: string, options: CallOptions = {}) {
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: identityToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      scope: `push:${namespace}`,
    };
    // Not repeated: an identity token is taken once. Nor is another token of ours sent along.
    const request = { method: 'POST', path: '/api/v1/token', form, token: null } as const;
    return this.http.json(answers.exchangedToken, { ...request, ...options });
  }

  /** A link that signs the holder of the token in to the pages, once. */
  makeSignInLink(options: CallOptions = {}) {
    const request = { method: 'POST', path: '/api/v1/sign-in-links' } as const;
    return this.http.json(answers.signInLink, { ...request, ...options });
  }

  /** Codes by which a person lets this machine in (RFC 8628); `roles` in place of all that they have. */
  beginDeviceLogin(
    { machine, roles }: { readonly machine: string; readonly roles?: readonly string[] },
    options: CallOptions = {},
  ) {
    const scope = roles === undefined ? {} : { scope: roles.join(' ') };
    const form = { client_id: 'weighhouse-cli', machine, ...scope };
    const request = { method: 'POST', path: '/api/v1/device', form, token: null } as const;
    return this.http.json(answers.deviceCodes, { ...request, ...options });
  }

  /** The token, once somebody has let this machine in; `details.error` says why not (section 3.5). */
  takeDeviceToken(deviceCode: string, options: CallOptions = {}) {
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: deviceCode,
      client_id: 'weighhouse-cli',
    };
    const request = { method: 'POST', path: '/api/v1/device/token', form, token: null } as const;
    return this.http.json(answers.exchangedToken, { ...request, ...options });
  }

  // Namespaces and advisories.

  createNamespace(
    request: {
      readonly policy: Uint8Array;
      readonly signed: readonly Uint8Array[];
      readonly override?: boolean;
    },
    options: CallOptions = {},
  ) {
    const json = {
      policy: formatBase64(request.policy),
      signed: request.signed.map(formatBase64),
      ...(request.override === true ? { override: true } : {}),
    };
    const path = '/api/v1/namespaces';
    const call = { method: 'POST', path, json, repeatable: true, ...options } as const;
    return this.http.json(answers.namespaceMade, call);
  }

  /** What the namespace takes up, and may. */
  usage(namespace: string, options: CallOptions = {}) {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/usage`;
    return this.http.json(answers.usage, { path, ...options });
  }

  advise(envelope: Uint8Array, options: CallOptions = {}) {
    const json = { envelope: formatBase64(envelope) };
    const path = '/api/v1/advisories';
    return this.http.json(answers.advised, { method: 'POST', path, json, ...options });
  }

  // What is public, as it is listed for people.

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

  /** Every one of these may be made twice: the second finds done what the first did. */
  #draftPost(release: ReleaseName, route: string, json: Json, options: SessionOptions) {
    const path = `${draftPath(release)}/${route}`;
    return asSession({ method: 'POST', path, json, repeatable: true }, options);
  }
}

function asSession(request: HttpRequest, { session, signal }: SessionOptions): HttpRequest {
  return { ...request, token: session, signal };
}

function modelPath({ namespace, name }: Model): string {
  return `/api/v1/releases/${namespace}/${name}`;
}
