/** One small document of an issuer. */
import type { Network } from './address.ts';
import { ask, MAX_ANSWER_BYTES, unreadable } from './pinned.ts';

/** Bytes of an issuer's document. */
export const MAX_DOCUMENT_BYTES = MAX_ANSWER_BYTES;

/** The bytes at `url`. Throws `network` or `untrusted`, naming the address. */
export async function getDocument(url: URL, network: Network): Promise<Uint8Array> {
  const headers = { accept: 'application/json' };
  const { status, body } = await ask(url, network, { method: 'GET', headers });
  if (status === 200) return body;
  throw unreadable(url, `the answer was ${status}`);
}
