import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  contentLength,
  HeadReader,
  keepsAlive,
  MAX_HEAD_BYTES,
  parseHead,
} from '../../../src/transfer/download/response-head.ts';

const HEAD = 'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/9';
const WHOLE = Buffer.from(`${HEAD}\r\n\r\nhello`);

describe('the head of a response', () => {
  test('is read however it is cut, and the body begins right behind it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WHOLE.length), { maxLength: 6 }), (cuts) => {
        const reader = new HeadReader();
        const bounds = [0, ...cuts.sort((a, b) => a - b), WHOLE.length];
        let found: ReturnType<HeadReader['take']>;
        let body = Buffer.alloc(0);
        for (const [i, from] of bounds.slice(0, -1).entries()) {
          const part = WHOLE.subarray(from, bounds[i + 1]);
          if (found !== undefined) {
            body = Buffer.concat([body, part]);
            continue;
          }
          found = reader.take(part);
          if (found !== undefined) body = Buffer.from(part.subarray(found.bodyAt));
        }
        expect(found?.head.status).toBe(206);
        expect(body.toString()).toBe('hello');
      }),
    );
  });

  test('says length and range', () => {
    const head = parseHead(HEAD);
    expect(contentLength(head)).toBe(5);
    expect(head.headers.get('content-range')).toBe('bytes 0-4/9');
    expect(keepsAlive(head)).toBe(true);
    expect(keepsAlive(parseHead(`${HEAD}\r\nConnection: Close`))).toBe(false);
  });

  test('is as long as the limit, and not one byte longer', () => {
    const padded = (length: number) => {
      const start = 'HTTP/1.1 200 OK\r\nX: ';
      return Buffer.from(`${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`);
    };
    expect(new HeadReader().take(padded(MAX_HEAD_BYTES))?.head.status).toBe(200);
    expect(() => new HeadReader().take(padded(MAX_HEAD_BYTES + 1))).toThrowWithCode('network');
  });

  test.each([
    ['no status line', 'SSH-2.0-OpenSSH_9.9'],
    ['a status that is none', 'HTTP/1.1 20 OK'],
    ['another protocol', 'HTTP/2 200'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6'],
  ])('with %s is refused', (_, text) => {
    expect(() => parseHead(text)).toThrowWithCode('network');
  });

  test.each([
    '',
    'Content-Length: -1',
    'Content-Length: 5, 5',
    'Content-Length: 0x5',
    'Content-Length: 05',
  ])('whose length is not said once and plainly is refused: %j', (line) => {
    const head = parseHead(['HTTP/1.1 200 OK', ...(line === '' ? [] : [line])].join('\r\n'));
    expect(() => contentLength(head)).toThrowWithCode('network');
  });

  test('of a chunked body is refused, whatever length it says', () => {
    const head = parseHead(`${HEAD}\r\nTransfer-Encoding: chunked`);
    expect(() => contentLength(head)).toThrowWithCode('network');
  });
});
