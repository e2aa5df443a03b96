import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { browserHost } from '../../../src/browser/check/host.ts';
import { type CheckOptions, checkRelease } from '../../../src/browser/check/release.ts';
import type { Step } from '../../../src/browser/check/step.ts';
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import { MemoryPins } from '../../../src/client/pins.ts';
import type { Reader } from '../../../src/client/release.ts';
import { type Digest, parseDigest } from '../../../src/core/digest.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../../src/core/release/advisory.ts';
import { formatReleaseName, parseReleaseName } from '../../../src/core/release/name.ts';
import { GatedServer } from '../../made/gated-served.ts';
import { type Change, forkOf, LIES, replayed } from '../../made/lies.ts';
import { FILES, nonceOf, RELEASE } from '../../made/live-registry.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { NO_PAUSES } from '../../made/reader.ts';
import { ONE_APPROVAL } from '../../made/team.ts';

const host = browserHost(crypto.subtle);
/** Published after RELEASE, and recalled. */
const RECALLED = parseReleaseName('acme/tiny@v2.0');

let gated: GatedServer;
let pins: MemoryPins;
/** What the registry's log was before v2.0. */
let before: Uint8Array;
/** What it said of the namespace before the recall. */
let unadvised: Uint8Array;

beforeAll(async () => {
  gated = await GatedServer.start(ONE_APPROVAL, {});
  await gated.push();
  await gated.decide('rita', { decision: 'approve' });
  await gated.publish();
  before = await answer('/log/checkpoint');
  const digest = await gated.push(RECALLED, { ...FILES, 'w.bin': 'other weights' });
  await gated.decide('rita', { decision: 'approve' }, { release: RECALLED });
  await gated.publish(RECALLED);
  unadvised = await answer('/api/v1/namespaces/acme/head');
  await recall(digest);
});
afterAll(() => gated.stop());
beforeEach(() => {
  pins = new MemoryPins();
});

async function answer(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await gated.served.fetch(path)).arrayBuffer());
}

/** A visit, by a browser with these pins, of a registry that may lie. */
async function visit(
  {
    release = RELEASE,
    change,
    ...options
  }: CheckOptions & { release?: typeof RELEASE; change?: Change } = {},
  digest?: string,
) {
  const lying: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const path = new URL(String(input)).pathname;
    if (!response.ok || change === undefined) return response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    return new Response((change(path, bytes) ?? bytes) as Uint8Array<ArrayBuffer>, {
      status: response.status,
      headers: response.headers,
    });
  };
  const url = parseRegistryUrl(gated.served.url);
  const api = new Api({ url, fetch: lying, pauses: NO_PAUSES });
  const reader: Reader = { host, api, pins, clock: () => gated.now };
  const asked = { release, digest: digest === undefined ? undefined : parseDigest(digest) };
  return checkRelease(reader, asked, options);
}

const states = (steps: readonly Step[]) =>
  Object.fromEntries(steps.map(({ id, state }) => [id, state]));
const stepOf = (steps: readonly Step[], id: string) => steps.find((step) => step.id === id)!;
const ALL_PASSED = {
  root: 'passed',
  'log-key': 'passed',
  checkpoint: 'passed',
  growth: 'passed',
  inclusion: 'passed',
  entry: 'passed',
  manifest: 'passed',
  signature: 'passed',
  gate: 'passed',
  freshness: 'passed',
};

describe('an honest registry', () => {
  test('passes every step, but for the memory that a first visit has not', async () => {
    const { steps, manifest } = await visit();
    expect(states(steps)).toEqual({ ...ALL_PASSED, growth: 'skipped' });
    expect(stepOf(steps, 'growth').said).toContain('has not seen this log before');
    expect(stepOf(steps, 'root').by).toBe('nobody yet: first seen');
    expect(manifest?.files.map(({ path }) => path)).toEqual(['README.md', 'config.json']);
  });

  test('passes every step of a second visit', async () => {
    await visit();
    const { steps } = await visit({ firstSeen: async () => '2026-02-01' });
    expect(states(steps)).toEqual(ALL_PASSED);
    expect(stepOf(steps, 'growth').said).toBe('The log is the one that this browser remembers.');
    expect(stepOf(steps, 'root').facts).toContainEqual({
      label: 'Remembered since',
      value: '2026-02-01',
    });
  });

  test('is asked for every decision, and that none was left out', async () => {
    const { said, by, facts } = stepOf((await visit()).steps, 'gate');
    expect(said).toContain('2 decisions were opened');
    expect(said).toContain('None that was committed is left out');
    expect(by).toBe('registry, rita');
    expect(facts.map(({ label, value }) => `${label}: ${value.split(',')[0]}`)).toContain(
      'rita: approve',
    );
  });

  test('with a log that is too long for a page passes with less, and says so', async () => {
    const { steps } = await visit({ maxEntries: 0 });
    expect(states(steps)).toEqual({ ...ALL_PASSED, growth: 'skipped' });
    expect(stepOf(steps, 'gate').said).toContain('takes the whole log');
  });

  test('reports every step as it begins and ends', async () => {
    const seen: string[] = [];
    await visit({ report: (steps) => seen.push(steps.map(({ state }) => state[0]).join('')) });
    expect(seen[0]).toBe('w'.repeat(10));
    expect(seen[1]).toBe(`r${'w'.repeat(9)}`);
    expect(seen.at(-1)).toBe('pppspppppp');
  });

  test('that recalled a release says so, and remembers it for good', async () => {
    const { steps } = await visit({ release: RECALLED });
    expect(states(steps)).toEqual({ ...ALL_PASSED, growth: 'skipped', freshness: 'failed' });
    const { failure } = stepOf(steps, 'freshness');
    expect(failure?.code).toBe('recalled');
    expect(failure?.message).toContain('It leaks.');
  });

  test('says which release is newer', async () => {
    expect(stepOf((await visit()).steps, 'freshness').said).toContain('There is a newer release');
  });
});

describe('a registry that lies', () => {
  test.each(Object.entries(LIES))('about %s is found at the right step', async (_, lie) => {
    const { steps, manifest } = await visit({
      change: lie.change,
      release: lie.step === 'freshness' ? RECALLED : RELEASE,
    });
    const failed = steps.filter(({ state }) => state === 'failed');
    expect(failed.map(({ id }) => id)).toEqual([lie.step]);
    expect(failed[0]!.failure!.message).not.toBe('');
    const order = Object.keys(ALL_PASSED);
    const isAfter = (id: string) => order.indexOf(id) > order.indexOf(lie.step);
    const isBehind = lie.step !== 'gate' && lie.step !== 'signature';
    if (isBehind && lie.step !== 'entry' && lie.step !== 'manifest') {
      const later = steps.filter(({ id }) => isAfter(id));
      expect(
        later.every(({ state, said }) => state === 'skipped' && said?.startsWith('Not checked')),
      ).toBe(true);
    }
    if (lie.step !== 'gate' && lie.step !== 'freshness') expect(manifest).toBeUndefined();
  });

  test('about the manifest leaves what does not rest on it', async () => {
    const { steps } = await visit({ change: LIES['another manifest']!.change });
    expect(states(steps)).toMatchObject({
      signature: 'skipped',
      gate: 'skipped',
      freshness: 'passed',
    });
  });

  test('on the page, about the digest, is found', async () => {
    const { steps } = await visit({}, `sha256:${'00'.repeat(32)}`);
    expect(stepOf(steps, 'entry').failure?.code).toBe('digest-mismatch');
  });

  test('about decisions in a long log is found too', async () => {
    const { steps } = await visit({ change: LIES['other decisions']!.change, maxEntries: 0 });
    expect(stepOf(steps, 'gate').failure?.code).toBe('digest-mismatch');
  });

  test('with another release in the place of this one is found', async () => {
    const other: Record<string, Uint8Array> = {};
    const of = (release: typeof RELEASE, name: string) =>
      `/api/v1/releases/acme/tiny/${release.version}/${name}`;
    for (const name of ['entry', 'release.tlog-proof', 'release.dsse', 'manifest.json']) {
      other[of(RELEASE, name)] = await answer(of(RECALLED, name));
    }
    const { steps } = await visit({ change: (path) => other[path] });
    expect(stepOf(steps, 'entry').failure?.code).toBe('untrusted');
  });
});

describe('a browser that remembers', () => {
  test('warns of a rollback, with both signed checkpoints', async () => {
    await visit();
    const { steps } = await visit({ change: replayed('/log/checkpoint', before) });
    const { failure, facts } = stepOf(steps, 'growth');
    expect(failure?.code).toBe('rolled-back');
    const notes = facts.filter(({ as }) => as === 'note').map(({ value }) => value);
    expect(notes).toHaveLength(2);
    expect(notes.every((note) => note.includes('— '))).toBe(true);
  });

  test('warns of a fork by the holder of the log’s key, with both signed checkpoints', async () => {
    await visit();
    const { steps } = await visit({ change: await forkOf(gated.served) });
    const { failure, facts } = stepOf(steps, 'growth');
    expect(failure?.code).toBe('fork');
    expect(facts.filter(({ as }) => as === 'note')).toHaveLength(2);
  });

  test('needs no more than the two checkpoints to tell a fork', async () => {
    await visit();
    const fork = await forkOf(gated.served);
    const change: Change = (path, bytes) =>
      path === '/log/checkpoint' ? fork(path, bytes) : undefined;
    const { steps } = await visit({ change });
    expect(stepOf(steps, 'growth').failure?.code).toBe('fork');
  });

  test('is not made to forget a recall', async () => {
    await visit({ release: RECALLED });
    const { steps } = await visit({ release: RECALLED, change: replayed('/head', unadvised) });
    expect(stepOf(steps, 'freshness').failure?.code).toBe('rolled-back');
  });

  test('warns of another fingerprint, and of another registry at the address', async () => {
    await visit();
    const root = await answer('/.well-known/weighhouse/root/1.json');
    const other = await GatedServer.start(ONE_APPROVAL, {});
    const theirs = new Uint8Array(
      await (await other.served.fetch('/.well-known/weighhouse/root/1.json')).arrayBuffer(),
    );
    await other.stop();
    expect(theirs).not.toEqual(root);
    const { steps } = await visit({ change: replayed('/root/1.json', theirs) });
    expect(stepOf(steps, 'root').failure).toMatchObject({ code: 'untrusted' });
    expect(states(steps).freshness).toBe('skipped');
  });
});

async function recall(digest: Digest): Promise<void> {
  const payload = formatAdvisory({
    v: 1,
    origin: ORIGIN,
    release: formatReleaseName(RECALLED),
    digest,
    advisory: 'recalled',
    summary: 'It leaks.',
    time: new Date(gated.now).toISOString(),
    nonce: nonceOf(1),
  });
  const api = await gated.api('max');
  await api.advise(gated.team.sign('max', ADVISORY_PAYLOAD_TYPE, payload));
}
