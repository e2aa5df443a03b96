/** Drafts: from the first file to the publish. All of it takes a token, none of it is cached. */
import type { Request } from 'express';
import * as v from 'valibot';
import { parseBase64 } from '../../core/bytes.ts';
import { type Digest, formatDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { formatCanonical } from '../../core/json.ts';
import {
  formatReleaseName,
  parseNamespace,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import type { TokenKey } from '../../keyring/jwt.ts';
import { issueUploadCredential } from '../../keyring/token.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Identified } from '../auth.ts';
import { bytesOf } from '../body.ts';
import { type Call, type CatchUp, callerOf, type Endpoint, endpoint, param } from './endpoint.ts';
import * as shapes from './shapes.ts';

/** The path of one draft; `releaseOf` reads it. */
export const DRAFT = '/drafts/{namespace}/{name}/{version}';
/** Bytes of a request to seal: it may name 100,000 paths. */
const MAX_SEAL_BYTES = 64 * 2 ** 20;

export function draftEndpoints(
  registry: Registry,
  tokens: TokenKey,
  clock: () => number,
  catchUp: CatchUp,
): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/drafts/{namespace}',
      id: 'listDrafts',
      rate: 'search',
      summary: 'The drafts of a namespace that can still be published',
      token: 'required',
      answer: shapes.draftList,
      async run(call) {
        const namespace = parseNamespace(param(call, 'namespace'));
        const drafts = await registry.drafts(callerOf(call), namespace);
        return {
          drafts: drafts.map(({ release, ...rest }) => {
            return { reference: formatReleaseName(release), ...rest };
          }),
        };
      },
    }),
    endpoint({
      method: 'put',
      path: DRAFT,
      id: 'openDraft',
      summary: 'Open a draft, or go on with it, and get the credential for its uploads',
      token: 'required',
      ciJobs: true,
      query: shapes.planQuery,
      answer: shapes.openedDraft,
      async run(call) {
        const caller = callerOf(call);
        refuseUnrenewable(caller);
        const { files = 0, bytes = 0 } = call.query;
        const status = await registry.openDraft(caller, releaseOf(call), { files, bytes });
        const { subject, tokenId: parent, grant } = caller;
        const uploader = { subject, parent, grant };
        const { token, expires } = await issueUploadCredential(
          tokens,
          uploader,
          status.release,
          clock(),
        );
        return {
          ...shapes.showDraft(status),
          session: token,
          sessionExpires: new Date(expires).toISOString(),
        };
      },
    }),
    endpoint({
      method: 'get',
      path: DRAFT,
      id: 'draftStatus',
      summary: 'State, sealed digest and what the gate still lacks',
      token: 'required',
      ciJobs: true,
      answer: shapes.draftStatus,
      run: async (call) =>
        shapes.showDraft(await registry.draftStatus(callerOf(call), releaseOf(call))),
    }),
    endpoint({
      method: 'delete',
      path: DRAFT,
      id: 'withdrawDraft',
      summary: 'Withdraw a draft; in a gated namespace only what was never sealed',
      token: 'required',
      answer: shapes.draftStatus,
      run: async (call) =>
        shapes.showDraft(await registry.withdraw(callerOf(call), releaseOf(call))),
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/files`,
      id: 'declareFile',
      summary:
        'Declare a file; the answer says which parts are still to be sent. Its size counts against the quota at once (403 quota-exceeded)',
      token: 'required',
      ciJobs: true,
      body: shapes.declaredFile,
      answer: shapes.fileTicket,
      run: (call) => registry.declareFile(callerOf(call), releaseOf(call), call.body),
    }),
    endpoint({
      method: 'put',
      path: `${DRAFT}/uploads/{upload}/parts/{number}`,
      id: 'putPart',
      load: 'part',
      rate: 'uncounted',
      summary: 'Send one part; Content-Digest (RFC 9530) names its SHA-256',
      token: 'required',
      ciJobs: true,
      consumes: 'application/octet-stream',
      produces: 'text/plain',
      status: 204,
      async run(call) {
        const part = {
          upload: param(call, 'upload'),
          number: partNumber(param(call, 'number')),
          length: contentLength(call.request),
          sha256: contentDigest(call.request),
        };
        await registry.putPart(callerOf(call), releaseOf(call), part, bytesOf(call.request));
        call.response.status(204).end();
      },
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/uploads/{upload}/requests`,
      id: 'signParts',
      summary: 'Signed requests, by which the client sends parts to the store itself',
      token: 'required',
      ciJobs: true,
      body: shapes.namedParts,
      answer: shapes.signedParts,
      async run(call) {
        const upload = param(call, 'upload');
        const { parts } = call.body;
        const signed = await registry.signParts(callerOf(call), releaseOf(call), upload, parts);
        return shapes.showSigned(signed);
      },
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/uploads/{upload}/parts`,
      id: 'noteParts',
      summary: 'Say which parts were sent to the store, and what it answered',
      token: 'required',
      ciJobs: true,
      body: shapes.sentParts,
      answer: shapes.notedParts,
      async run(call) {
        const upload = param(call, 'upload');
        const { parts } = call.body;
        await registry.noteParts(callerOf(call), releaseOf(call), upload, parts);
        return { noted: parts.length };
      },
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/uploads/{upload}/complete`,
      id: 'completeUpload',
      summary: 'All parts are sent: make them one object',
      token: 'required',
      ciJobs: true,
      answer: v.strictObject({ state: v.literal('stored') }),
      async run(call) {
        await registry.completeUpload(callerOf(call), releaseOf(call), param(call, 'upload'));
        return { state: 'stored' };
      },
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/seal`,
      id: 'sealDraft',
      summary: 'Begin to seal exactly these files: the registry reads every byte back',
      token: 'required',
      ciJobs: true,
      body: shapes.sealRequest,
      maxBodyBytes: MAX_SEAL_BYTES,
      answer: shapes.draftStatus,
      status: 202,
      run: async (call) =>
        shapes.showDraft(await registry.seal(callerOf(call), releaseOf(call), call.body)),
    }),
    endpoint({
      method: 'get',
      path: `${DRAFT}/manifest.json`,
      id: 'draftManifest',
      summary: 'The manifest of a sealed draft',
      token: 'required',
      ciJobs: true,
      produces: 'application/json',
      async run(call) {
        const manifest = await registry.draftManifest(callerOf(call), releaseOf(call));
        call.response
          .set('Cache-Control', 'no-store')
          .type('application/json')
          .send(Buffer.from(manifest));
      },
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/publish`,
      id: 'publish',
      load: 'log',
      rate: 'log',
      summary: 'Publish what is sealed. There is no way back',
      token: 'required',
      body: shapes.publishRequest,
      answer: shapes.published,
      async run(call) {
        const { digest, intent } = call.body;
        const done = await registry.publish(
          callerOf(call),
          releaseOf(call),
          digest,
          intent && formatCanonical(intent),
        );
        await catchUp();
        const { release, ...rest } = done;
        return { reference: formatReleaseName(release), ...rest };
      },
    }),
  ];
}

/** A session opens its own draft anew to be renewed, unless a CI job opened it. */
function refuseUnrenewable({ session, renews }: Identified): void {
  if (session === undefined || renews) return;
  throw new CodedError(
    'not-authorised',
    'the upload session of a CI job is not renewed: exchange the identity of a new job for a token',
  );
}

/** The release that the path names. */
export function releaseOf(call: Call<unknown, unknown>): ReleaseName {
  return parseReleaseName(
    `${param(call, 'namespace')}/${param(call, 'name')}@${param(call, 'version')}`,
  );
}

function partNumber(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text))
    throw new CodedError('usage', 'a part number is from 1 to 99999');
  return Number(text);
}

function contentLength(request: Request): number {
  const text = request.get('content-length');
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) {
    throw new CodedError('usage', 'a part needs a Content-Length');
  }
  return Number(text);
}

/** `Content-Digest: sha-256=:<base64>:` (RFC 9530, section 2). */
function contentDigest(request: Request): Digest {
  const match = /^sha-256=:([A-Za-z0-9+/]{43}=):$/.exec(request.get('content-digest') ?? '');
  if (match?.[1] === undefined) {
    throw new CodedError('usage', 'a part needs a Content-Digest of the form sha-256=:<base64>:');
  }
  return formatDigest(parseBase64(match[1]));
}
