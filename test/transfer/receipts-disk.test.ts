import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decide } from '../../src/client/decide/decide.ts';
import { formatReceipt, parseReceipt, type Receipt } from '../../src/client/receipts.ts';
import { DiskReceipts } from '../../src/transfer/receipts-disk.ts';
import { MadeDesk, meansAt, RELEASE, signerOf } from '../made/desk.ts';
import { makeKey } from '../made/p256.ts';

let folder: string;
let receipt: Receipt;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-receipts-'));
  const said = { decision: 'approve' } as const;
  const wish = { release: RELEASE, said, named: undefined, lasts: 60 };
  receipt = await decide(meansAt(new MadeDesk()), signerOf(makeKey()), wish, async () => {});
});
afterEach(() => rm(folder, { recursive: true }));

test('a receipt is read as it was written, before and after it is logged', () => {
  const begun: Receipt = { ...receipt, index: null, proof: null, state: 'signed' };
  for (const each of [receipt, begun])
    expect(parseReceipt(formatReceipt(each), 'it')).toEqual(each);
});

test('a receipt that says another thing than its envelope is refused', () => {
  for (const wrong of [{ n: 1 }, { release: 'acme/other@v1.0' }, { origin: 'other.example' }]) {
    const bytes = formatReceipt({ ...receipt, ...wrong });
    expect(() => parseReceipt(bytes, 'it')).toThrow('another decision');
  }
});

test('receipts are kept for their owner alone, each once, and leave nothing beside', async () => {
  const kept = new DiskReceipts(folder);
  const origin = receipt.origin as never;
  expect(await kept.all(origin)).toEqual([]);
  expect(await kept.add({ ...receipt, state: 'logged' })).toBe(true);
  expect(await kept.add(receipt)).toBe(false);
  expect(await kept.all(origin)).toMatchObject([{ state: 'logged' }]);
  await kept.save(receipt);
  expect(await kept.all(origin)).toEqual([receipt]);
  const names = await readdir(join(folder, receipt.origin));
  expect(names).toEqual([`${receipt.label}.json`]);
  expect((await stat(join(folder, receipt.origin, names[0]!))).mode & 0o777).toBe(0o600);
});

test('what a kill left half written is not read', async () => {
  const kept = new DiskReceipts(folder);
  await kept.add(receipt);
  await writeFile(join(folder, receipt.origin, `${receipt.label}.json.1.1.new`), 'half');
  expect(await kept.all(receipt.origin as never)).toEqual([receipt]);
});
