import { afterAll, describe, expect, test } from '@jest/globals';
import { hashBundle } from '../../src/core/audit/hashed-bundle.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { formatEntryBundle } from '../../src/core/log/tile.ts';
import { AuditThreads } from '../../src/hashing/audit-threads.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { makeKey } from '../made/p256.ts';

const threads = new AuditThreads(2);
afterAll(() => threads.close());

describe('the threads of an audit', () => {
  test.each([1, 255, 256])('hash a bundle of %i entries as the core does', async (width) => {
    const entries = Array.from({ length: width }, (_, i) => utf8(`entry ${i}`));
    const bundle = formatEntryBundle(entries);
    const hashed = await threads.hashBundle(bundle, width);
    expect(hashed).toEqual(hashBundle(nodeHost, bundle, width));
    await expect(threads.hashBundle(bundle, width - 1)).rejects.toThrowWithCode('bad-tile');
  });

  test('check signatures as the host does, many at once', async () => {
    const key = makeKey();
    const other = makeKey();
    const questions = Array.from({ length: 300 }, (_, i) => {
      const data = utf8(`data ${i}`);
      const signature = key.sign(i % 3 === 1 ? utf8('other data') : data);
      return { spki: i % 3 === 2 ? other.spki : key.spki, data, signature };
    });
    const answers = await Promise.all(
      questions.map(({ spki, data, signature }) => threads.host.verifyP256(spki, data, signature)),
    );
    expect(answers).toEqual(questions.map((_, i) => i % 3 === 0));
  });

  test('say no to what is no key and no signature', async () => {
    const key = makeKey();
    const data = utf8('data');
    expect(await threads.host.verifyP256(new Uint8Array(3), data, key.sign(data))).toBe(false);
    expect(await threads.host.verifyP256(key.spki, data, new Uint8Array(3))).toBe(false);
  });
});
