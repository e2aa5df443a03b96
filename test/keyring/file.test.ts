import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { nodeHost } from '../../src/hashing/host.ts';
import { isEncrypted, readKeyFile, writeKeyFile } from '../../src/keyring/file.ts';
import { newStatementKey, statementSigner } from '../../src/keyring/keys.ts';

const directory = await mkdtemp(join(tmpdir(), 'weighhouse-keys-'));
afterAll(() => rm(directory, { recursive: true }));

describe('key files', () => {
  test('an encrypted key opens with its passphrase alone, and its bytes do not show it', async () => {
    const path = join(directory, 'sealed.key');
    const key = newStatementKey();
    await writeKeyFile(path, key, 'correct horse');
    expect(await isEncrypted(path)).toBe(true);
    expect(await readFile(path, 'utf8')).not.toContain(key.d as string);
    expect(await readKeyFile(path, 'correct horse')).toEqual(key);
    await expect(readKeyFile(path, 'wrong')).rejects.toThrowWithCode('not-authorised');
    await expect(readKeyFile(path, undefined)).rejects.toThrowWithCode('not-authorised');
  });

  test('is readable by its owner only, and never overwritten', async () => {
    const path = join(directory, 'plain.key');
    const key = newStatementKey();
    await writeKeyFile(path, key, undefined);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(writeKeyFile(path, newStatementKey(), undefined)).rejects.toThrowWithCode(
      'conflict',
    );
    expect(await readKeyFile(path, undefined)).toEqual(key);
  });

  test.each([['not a key'], ['{"kty":1}'], ['[]'], ['{']])(
    'a file that holds %s is refused',
    async (text) => {
      const path = join(directory, 'broken.key');
      await writeFile(path, text);
      await expect(readKeyFile(path, 'x')).rejects.toThrow();
    },
  );

  test('what a statement key signs, the host verifies', async () => {
    const signer = statementSigner(newStatementKey(), 'the key');
    const data = new Uint8Array([1, 2, 3]);
    const signature = await signer.sign(data);
    expect(await nodeHost.verifyP256(signer.spki, data, signature)).toBe(true);
    expect(await nodeHost.verifyP256(signer.spki, new Uint8Array([1, 2, 4]), signature)).toBe(
      false,
    );
  });
});
