/** The two ways of a file's parts: to the registry's store itself, or through the registry. */
import type { FileTicket } from '../client/answers.ts';
import { parseProblem } from '../client/problem.ts';
import { formatBase64 } from '../core/bytes.ts';
import { DirectUpload, type DirectUploadOptions, type LocalPart } from './direct-upload.ts';
import type { PartUpload } from './part-upload.ts';

export type UploadTicket = Extract<FileTicket, { state: 'upload' }>;

export interface Way {
  /** Sends one part, once. Throws `digest-mismatch`, `network`, `not-found` when the upload is no more … */
  send(part: LocalPart): Promise<void>;
  /** Resolves when the registry knows of all that was sent. */
  finish(): Promise<void>;
}

/** The way that the ticket names, for `parts`: all that will be sent. */
export function openWay(
  options: Omit<DirectUploadOptions, 'upload'>,
  { upload, direct }: UploadTicket,
  parts: readonly LocalPart[],
): Way {
  if (direct) return new DirectUpload({ ...options, upload }, parts);
  const { api, sender, release, session, signal, location } = options;
  return {
    async send(part) {
      const url = api.partUrl(release, upload, part.number);
      const token = session ?? api.http.token;
      await sender.send({ ...throughRegistry(url, token, part), location, signal });
    },
    async finish() {},
  };
}

/** The request that puts a part through the registry: RFC 9530 for its digest, RFC 6750 for the token. */
export function throughRegistry(
  url: string,
  token: string | undefined,
  { offset, length, sha256 }: Omit<LocalPart, 'number'>,
): Omit<PartUpload, 'location'> {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-digest': `sha-256=:${formatBase64(sha256)}:`,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const refusal: PartUpload['refusal'] = (answer, body) => parseProblem(answer, body, url);
  return { url, place: url, headers, offset, length, refusal };
}
