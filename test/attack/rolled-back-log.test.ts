/**
 * A log that shows less than it showed before is refused, however little is missing, and
 * though everything that it still shows is right: at pull and at audit.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import type { Entry } from '../../src/core/log/entry.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { Audited } from '../made/audited.ts';
import { pinnedReader } from '../made/reader.ts';
import type { MadeRegistry } from '../made/registry.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const ASKED = parseReference('acme/tiny@v1');

const pool = new HashingPool({ threads: 1 });
let served: ServedRegistry;
let reader: Reader;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-rolled-'));
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
  reader = await pinnedReader(served);
});
afterEach(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => pool.close());

/** An entry after which nothing that a client asks for has changed. */
function commit(made: MadeRegistry): void {
  const [label, commitment] = ['1', '2'].map((digit) => digit.repeat(64));
  made.log({ kind: 'commitment', label, commit: commitment } as Entry);
}

test('one entry less than was seen stops a pull, though the newest heads are still there', async () => {
  commit(served.made);
  await pull(reader, pool, ASKED, folder);
  served.made.entries.pop();
  const again = pull(reader, pool, ASKED, folder);
  await expect(again).rejects.toMatchObject({
    code: 'rolled-back',
    details: { checkpoints: [expect.any(String), expect.any(String)] },
  });
});

test('one entry less than its state is found by an audit', async () => {
  const audited = Audited.small();
  commit(audited.made);
  const { state } = await audited.audit();
  audited.made.entries.pop();
  expect(await audited.audit({ state })).toMatchObject({
    ok: false,
    violations: [{ code: 'rolled-back' }],
  });
});
