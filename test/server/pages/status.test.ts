import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { formatDigest } from '../../../src/core/digest.ts';
import type { AppParts } from '../../../src/server/app.ts';
import { concernsOf, type Standing } from '../../../src/server/pages/status-board.ts';
import { statusView } from '../../../src/server/pages/views/status.ts';
import type { Store } from '../../../src/store/contract.ts';
import { Served } from '../../made/served.ts';

const MINUTE = 60_000;
const running: Served[] = [];
afterEach(async () => {
  for (const served of running.splice(0)) await served.stop();
});

async function start(parts: Partial<AppParts> = {}): Promise<Served> {
  const served = await Served.start({ parts });
  running.push(served);
  return served;
}

async function status(served: Served) {
  const response = await served.fetch('/-/status', { headers: { Accept: 'text/html' } });
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(text).not.toMatch(/<script(?![^>]* src="\/-\/)|<style|\sstyle=|\son\w+=/);
  return text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
}

test('a server that is well says so, and what it has looked at', async () => {
  const served = await start({
    damaged: async () => 0,
    scrubbed: async () => ({ pass: 3, begun: '2026-01-01T00:00:00.000Z' }),
  });
  await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
  const words = await status(served);
  const { size, root } = await served.log.published();
  expect(words).toContain('Nothing that this server looks at is amiss');
  expect(words).toContain(`of ${size} entries`);
  expect(words.replaceAll(' ', '')).toContain(formatDigest(root));
  expect(words).toContain('has all of the log');
  expect(words).toContain('version 1 , issued');
  expect(words).toContain('the trust root names none');
  expect(words).toContain('none known');
  expect(words).toContain('pass 3 goes on since 1 Jan 2026, 00:00 UTC');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(words).toContain(`Weighhouse ${version}`);
});

test('what is wrong is said, and not why: that is the operator’s', async () => {
  const served = await start({
    unready: async () => 'the store /secret/place takes no writes: EACCES',
    damaged: async () => 2,
  });
  const words = await status(served);
  expect(words).toContain('takes no writes now');
  expect(words).toContain('2 objects of the store are damaged');
  expect(words).not.toContain('secret');
  expect(words).not.toContain('EACCES');
});

test('a store that does not answer keeps nobody waiting', async () => {
  const never = () => new Promise<never>(() => {});
  const store = { get: never } as unknown as Store;
  const log = { published: never } as unknown as AppParts['log'];
  const served = await start({ store, log, unready: never, scrubbed: never });
  const words = await status(served);
  expect(words).toContain('has not answered within a second');
  expect(words).toContain('not known: no answer within a second');
});

test('many who ask cost one look', async () => {
  let looks = 0;
  const served = await start({
    clock: () => 0,
    unready: async () => {
      looks += 1;
      return undefined;
    },
  });
  await Promise.all(Array.from({ length: 5 }, () => status(served)));
  expect(looks).toBe(1);
});

const WELL: Standing = {
  at: Date.parse('2026-06-01T12:00:00.000Z'),
  checkpoint: { size: 9, root: new Uint8Array(32), newest: '2026-06-01T11:00:00.000Z' },
  indexed: 9,
  root: {
    version: 2,
    issued: '2026-01-01T00:00:00.000Z',
    expires: '2026-06-01T12:00:00.001Z',
    maxAge: 3600,
  },
  witnesses: { all: [{ name: 'w1', time: '2026-06-01T11:59:00.000Z' }], met: true },
  takesWrites: true,
  damaged: 0,
  scrub: 'never',
};

test.each<[Partial<Standing>, string]>([
  [{ at: WELL.at + 1 }, 'silent for so long'],
  [{ at: WELL.at + 1 }, 'trust root has expired'],
  [{ indexed: undefined }, 'index is being built'],
  [{ witnesses: { all: [{ name: 'w1', time: undefined }], met: false } }, 'Too few witnesses'],
  [{ takesWrites: undefined }, 'takes no writes'],
  [{ damaged: 1 }, '1 object of the store is damaged'],
])('what is a concern one step beyond: %o', (change, sentence) => {
  expect(concernsOf(WELL)).toEqual([]);
  expect(concernsOf({ ...WELL, ...change }).join(' ')).toContain(sentence);
});

test('witnesses are shown with when they cosigned, and the index with how far behind it is', () => {
  const shown = (standing: Standing) =>
    statusView({ origin: 'models.test', version: '1', standing }).body.toString();
  const other = { name: '<w2>', time: undefined };
  const witnesses = { all: [...WELL.witnesses!.all, other], met: true };
  const text = shown({ ...WELL, witnesses, indexed: 7 });
  expect(text).toContain('w1: cosigned at <time');
  expect(text).toContain('&lt;w2&gt;: has not cosigned');
  expect(text).toContain('is 2 behind the log');
  expect(shown({ ...WELL, at: WELL.at - 59 * MINUTE })).toContain('1 min 0 s ago');
});
