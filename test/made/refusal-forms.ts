/** Refusals as each protocol's clients read them, and answers to requests that no client library sends. */
import { expect } from '@jest/globals';
import { rawExchange, statusOf } from './raw-http.ts';

/** An answer that has been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The Hugging Face hub’s protocol, OCI’s and our own. */
export type Protocol = 'hub' | 'oci' | 'own';

/** Which failure an answer says it is, in the words of its protocol; fails where it is not in its form. */
export const FAILURE: Readonly<Record<Protocol, (answer: Answer) => string | null>> = {
  hub: ({ headers, text }) => {
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    const { error } = JSON.parse(text);
    expect(headers.get('x-error-message')).toBe(error.replace(/[^\x20-\x7e]/g, '?').trim());
    return headers.get('x-error-code');
  },
  oci: ({ headers, text }) => {
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    const { errors } = JSON.parse(text);
    const [{ code }] = errors;
    expect(errors).toEqual([{ code, message: expect.any(String), detail: null }]);
    return code;
  },
  own: ({ headers, text }) => {
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    return JSON.parse(text).code;
  },
};

/** The answer to a GET of exactly this path, under exactly this name of the host. */
export async function getRaw(port: number, path: string, host = '127.0.0.1'): Promise<Answer> {
  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const answer = await rawExchange(port, request);
  const end = answer.indexOf('\r\n\r\n');
  const lines = answer.slice(0, end).split('\r\n').slice(1);
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/, 2) as [string, string]));
  const text = Buffer.from(answer.slice(end + 4), 'latin1').toString();
  return { status: statusOf(answer), headers, text };
}
