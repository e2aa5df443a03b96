/** Two processes whose commits write the same document, as the heads of a registry are. */
import { expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import type { Item } from '../../src/log/item.ts';
import { keys } from '../../src/store/keys.ts';
import { emptyLog, entry, publishedEntries, sequence } from '../made/log.ts';

/** An entry, and a document that says where the newest of them stands. */
function counted(text: string): Item {
  return {
    entries: [entry(text)],
    documents: async ({ index }) => [
      { kind: 'newest', key: keys.heads(), bytes: utf8(JSON.stringify({ index })), index },
    ],
  };
}

test('a process that was overtaken commits on top of the other, whose document is newer than its own tree', async () => {
  const disk = await emptyLog();
  // What a commit closes with is no item that could be refused by itself.
  const closing = async () => counted('closing');
  const [late, other] = [
    await sequence(disk.open(), { closing }),
    await sequence(disk.open(), { closing }),
  ];
  expect(await other.append({ entries: [entry('first')] })).toMatchObject({ index: 0 });
  expect(await late.append({ entries: [entry('second')] })).toMatchObject({ index: 2 });
  await Promise.all([late.close(), other.close()]);
  const all = ['entry first', 'entry closing', 'entry second', 'entry closing'];
  expect(await publishedEntries(disk)).toEqual(all);
});
