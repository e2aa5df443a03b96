/** Our sequencer and a real witness: litewitness, by the author of much of the specification. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Litewitness, startLitewitness } from '../../scripts/peers/litewitness.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { checkQuorum, parseTlogPolicy } from '../../src/core/log/tlog-policy.ts';
import { formatVerifierKey } from '../../src/core/note/key.ts';
import { parseNote } from '../../src/core/note/note.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { openWitnesses } from '../../src/log/witnesses.ts';
import type { Store } from '../../src/store/contract.ts';
import { emptyLog, entry, LOG_KEY, ORIGIN, sequence } from '../made/log.ts';

const MINUTES = 60_000;

let directory: string;
let witness: Litewitness;

const start = () =>
  startLitewitness(directory, { origin: ORIGIN, vkey: formatVerifierKey(LOG_KEY) });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weighhouse-witness-'));
  witness = await start();
}, 5 * MINUTES);

afterAll(async () => {
  await witness?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The policy that asks for this witness, and the cosigner by it. */
function policed(store: Store) {
  const text = `witness lite ${witness.vkey} ${witness.url}\nquorum lite\n`;
  const policy = parseTlogPolicy(nodeHost, utf8(text));
  const absent: unknown[] = [];
  const onAbsent = (_: string, cause: unknown) => absent.push(cause);
  const { cosign } = openWitnesses({ store, host: nodeHost, policy, onAbsent });
  return { policy, absent, cosign };
}

test(
  'a log grows under a real witness, which restarts and remembers',
  async () => {
    const disk = await emptyLog();
    const cosigned = () =>
      checkQuorum(policed(disk.open()).policy, parseNote(disk.bytes('log/checkpoint')));

    const first = await sequence(disk.open(), { cosign: policed(disk.open()).cosign });
    for (const count of [1, 1, 254, 300]) {
      const entries = Array.from({ length: count }, (_, i) => entry(i));
      expect(await first.append({ entries })).toMatchObject({ published: true });
      expect(cosigned()).toMatchObject({ ok: true });
    }
    await first.close();

    await witness.stop();
    witness = await start();
    // A new process of ours asks from 0 and is told 556.
    const { cosign, absent } = policed(disk.open());
    const second = await sequence(disk.open(), { cosign });
    expect(await second.append({ entries: [entry('more')] })).toMatchObject({ published: true });
    expect(cosigned()).toMatchObject({ ok: true });
    await second.close();
    expect(absent).toEqual([]);
  },
  MINUTES,
);

test(
  'a forked log is not cosigned, and so not published',
  async () => {
    const disk = await emptyLog();
    const { cosign, absent } = policed(disk.open());
    const log = await sequence(disk.open(), { cosign, patience: 500 });
    const entries = Array.from({ length: 600 }, () => entry('another history'));
    expect(await log.append({ entries })).toMatchObject({ published: false });
    expect(String(absent.at(-1))).toMatch(/422|larger tree|does not begin with/);
    await log.close();
  },
  MINUTES,
);
