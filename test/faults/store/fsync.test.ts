/** A disk that fails to take what was written, and a writer that slept. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { openDirectory } from '../../../src/store/directory.ts';
import { describeWithStrace } from '../needs.ts';
import { COUNTER, contentOf, contradictions, parseJournal } from './journal.ts';
import { runWriter } from './run-writer.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weighhouse-fsync-'));
  await (await openDirectory(directory, { create: true })).close();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describeWithStrace()('a disk whose fsync fails', () => {
  test.each([1, 3, 8, 21])(
    'ends all writing, and nothing was acknowledged that is not there: fsync %i',
    async (when) => {
      const output = await runWriter({
        directory,
        seed: when,
        first: 0,
        steps: 40,
        strace: ['-e', 'trace=fsync', '-e', `inject=fsync:error=EIO:when=${when}`],
      });
      expect(output.trimEnd().split('\n').at(-1)).toBe(
        JSON.stringify({
          failed: 'storage',
          after: ['storage', 'storage', 'storage', 'storage'],
        }),
      );
      const store = await openDirectory(directory);
      expect(await contradictions(store, parseJournal(output))).toEqual([]);
    },
    60_000,
  );

  test('a link that fails is a failure of that write alone', async () => {
    const output = await runWriter({
      directory,
      seed: 1,
      first: 0,
      steps: 40,
      strace: ['-e', 'trace=/^link', '-e', 'inject=/^link:error=EIO:when=3'],
    });
    expect(JSON.parse(output.trimEnd().split('\n').at(-1)!)).toMatchObject({ failed: 'storage' });
    expect(output).toContain('"done"');
    expect(output.trimEnd().split('\n').at(-1)).not.toContain('"after":["storage"');
  }, 60_000);
});

describeWithStrace()('a writer that sleeps before its swap', () => {
  test.each([
    ['a little', 3, 'somebody else counts'],
    ['for many generations', 20, 'unknown-outcome'],
  ])(
    'and is overtaken %s changes nothing, and knows it',
    async (_, swaps, outcome) => {
      const store = await openDirectory(directory);
      let version = (await store.swap(COUNTER, null, utf8('start')))!;
      const asleep = runWriter({
        directory,
        seed: 1, // whose first step counts
        first: 0,
        steps: 1,
        strace: ['-e', 'trace=/^link', '-e', 'inject=/^link:delay_enter=1000000:when=1'],
      });
      while ((await readdir(join(directory, 'temp'))).length === 0) {
        await new Promise((done) => setImmediate(done));
      }
      for (let n = 1; n <= swaps; n++) {
        version = (await store.swap(COUNTER, version, contentOf(n + 1_000)))!;
        expect(version).toBeDefined();
      }
      expect(await asleep).toContain(outcome);
      expect(await store.get(COUNTER)).toEqual({ bytes: contentOf(swaps + 1_000), version });
    },
    60_000,
  );
});
