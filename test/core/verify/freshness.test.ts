import { beforeAll, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { parseNamespace } from '../../../src/core/release/name.ts';
import { verifyFreshness } from '../../../src/core/verify/freshness.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeRegistry } from '../../made/registry.ts';
import { changed, refusedBy } from '../../made/tampering.ts';

const registry = new MadeRegistry();
let heads: number;

beforeAll(() => {
  registry.namespace('acme');
  registry.namespace('zeta');
  registry.publish('acme/kimi@v1', { 'model.bin': utf8('weights') });
  registry.publish('acme/kimi@v2', { 'model.bin': utf8('better weights') });
  registry.advise('acme/kimi@v2', 'security');
  heads = registry.heads();
});

describe('freshness', () => {
  const acme = parseNamespace('acme');
  const fresh = (at = heads) => registry.freshness('acme', at);
  const judge = (shown = fresh(), now = registry.now, seen = 0) =>
    verifyFreshness(nodeHost, registry.root, acme, shown, now, seen);

  test('shows the newest release and every advisory', () => {
    const verdict = judge();
    expect(verdict).toMatchObject({ ok: true, index: heads });
    if (!verdict.ok) throw new Error(verdict.message);
    expect(verdict.advisories.map(({ entry }) => entry.advisory)).toEqual(['security']);
    expect(Object.keys(verdict.head.releases)).toEqual(['kimi']);
  });

  test('is refused up to the second when the log has been silent for too long', () => {
    const time = Date.parse(JSON.parse(new TextDecoder().decode(fresh().entry)).time);
    expect(judge(fresh(), time + 3_600_000)).toMatchObject({ ok: true });
    expect(judge(fresh(), time + 3_600_001)).toMatchObject({ ok: false, code: 'stale' });
    expect(judge(fresh(), time - 300_001)).toMatchObject({ ok: false, code: 'stale' });
  });

  test('is refused when an older heads entry is shown than was seen before', () => {
    expect(judge(fresh(), registry.now, heads)).toMatchObject({ ok: true });
    expect(judge(fresh(), registry.now, heads + 1)).toMatchObject({
      ok: false,
      code: 'rolled-back',
    });
  });

  test('is refused when an advisory is kept back', () => {
    expect(judge({ ...fresh(), advisories: [] })).toMatchObject({ ok: false, code: 'untrusted' });
  });

  test('is refused when another namespace’s head is shown', () => {
    expect(judge(registry.freshness('zeta', heads))).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test.each(['entry', 'proof', 'head'] as const)(
    'is refused with any byte of its %s changed',
    async (name) => {
      const shown = fresh();
      for (const bytes of changed(shown[name], 7)) {
        expect(await refusedBy(() => judge({ ...shown, [name]: bytes }))).toBeDefined();
      }
    },
  );
});
