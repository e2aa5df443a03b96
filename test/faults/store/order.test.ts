/**
 * The order of system calls, which no kill can show: the page cache survives a process. A
 * power cut leaves only what was brought to the disk, so before a writer is told "done"
 * every file must have been synced before it got its name, and every name after it was made.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDirectory } from '../../../src/store/directory.ts';
import { describeWithStrace } from '../needs.ts';
import { runWriter } from './run-writer.ts';

type Call =
  | { readonly name: 'fsync' | 'mkdir' | 'unlink'; readonly path: string }
  | { readonly name: 'link' | 'rename'; readonly path: string; readonly to: string }
  | { readonly name: 'done' };

describeWithStrace()('before a write is acknowledged', () => {
  let directory: string;
  let calls: readonly Call[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weighhouse-order-'));
    const store = join(directory, 'store');
    await (await openDirectory(store, { create: true })).close();
    const trace = join(directory, 'trace');
    const traced = 'trace=fsync,write,/^link,/^rename,/^mkdir,/^unlink';
    const strace = ['-y', '-s', '1000', '-o', trace, '-e', traced];
    await runWriter({ directory: store, seed: 7, first: 0, steps: 40, strace });
    calls = parseTrace(await readFile(trace, 'utf8'), store);
  }, 60_000);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('the trace holds every kind of call', () => {
    const names = new Set(calls.map((call) => call.name));
    expect([...names].sort()).toEqual(['done', 'fsync', 'link', 'mkdir', 'rename', 'unlink']);
  });

  test('a file was on the disk before it got its name', () => {
    const synced = new Set<string>();
    for (const call of calls) {
      if (call.name === 'fsync') synced.add(call.path);
      if (call.name === 'link') expect(synced).toContain(call.path);
      // What is renamed into temp is on its way out.
      if (call.name === 'rename' && !isTemporary(call.to)) expect(synced).toContain(call.path);
    }
  });

  test('each name it stands under was on the disk, and each removed name was not', () => {
    const unsynced = new Map<string, string>();
    for (const call of calls) {
      if (call.name === 'fsync') {
        for (const [name, folder] of unsynced) if (folder === call.path) unsynced.delete(name);
      }
      if (call.name === 'done') expect([...unsynced.keys()]).toEqual([]);
      const changed = changedName(call);
      if (changed !== undefined) unsynced.set(changed, dirname(changed));
    }
  });
});

/** The name that must be synced after `call`; none where losing it does no harm. */
function changedName(call: Call): string | undefined {
  switch (call.name) {
    case 'mkdir':
      return isTemporary(call.path) ? undefined : call.path;
    case 'link':
    case 'rename':
      return isTemporary(call.to) ? undefined : call.to;
    case 'unlink': // of old generations, some may come back
      return call.path.includes('/objects/') && !call.path.includes('/@') ? call.path : undefined;
    default:
      return undefined;
  }
}

function isTemporary(path: string): boolean {
  return path.includes('/temp/');
}

/** strace's lines as calls on paths below `store`; failed ones are left out. */
function parseTrace(text: string, store: string): readonly Call[] {
  const calls: Call[] = [];
  for (const line of text.split('\n')) {
    if (line.includes('= -1 ')) continue;
    if (line.includes('write(1<') && line.includes('\\"done\\"')) calls.push({ name: 'done' });
    const name = /^\d+ +(fsync|link|rename|mkdir|unlink)/.exec(line)?.[1];
    const paths = [...line.matchAll(/[<"](\/[^>"]*)[>"]/g)].map((match) => match[1]!);
    // The *at() calls on arm64 name their directory first: AT_FDCWD</where/it/runs>.
    const [path, to] = paths.filter((found) => found.startsWith(store));
    if (name === undefined || path === undefined) continue;
    if (name === 'fsync' || name === 'mkdir' || name === 'unlink') calls.push({ name, path });
    else calls.push({ name: name as 'link' | 'rename', path, to: to ?? basename(path) });
  }
  return calls;
}
