/**
 * Advisories are logged for ever, and each pull reads all those of its namespace. Somebody who
 * may warn, or a thief of their key, must not be able to make it unreadable with them, nor to
 * leave no room for a recall.
 */
import { describe, expect, test } from '@jest/globals';
import { formatBase64, formatHex, utf8 } from '../../src/core/bytes.ts';
import type { Digest } from '../../src/core/digest.ts';
import { type AdvisoryKind, MAX_SUMMARY } from '../../src/core/log/entry.ts';
import { MANIFEST_LIMITS } from '../../src/core/release/manifest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { ADVISORY_LIMITS } from '../../src/registry/advise.ts';
import { namespaceForm } from '../../src/registry/documents/namespace.ts';
import { ACME, type LiveRegistry, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

async function published() {
  const live = await (await makeWorld()).openWithNamespace();
  const { digest } = await live.release(PUBLISHER, RELEASE);
  return { live, digest };
}

let said = 0;
function advise(live: LiveRegistry, digest: Digest, kind: AdvisoryKind, summary = 'Again.') {
  said += 1;
  const nonce = formatHex(nodeHost.sha256(utf8(`${said}`)));
  const envelope = live.world.advisory(RELEASE, digest, kind, { nonce, summary });
  return live.registry.advise(PUBLISHER, envelope);
}

/** Lets the namespace have so many advisories, as if they had been logged. */
async function plantAdvisories(live: LiveRegistry, count: number): Promise<void> {
  const { disk } = live.world;
  const filler = Array.from({ length: count }, (_, i) => utf8(`{"filler":${i}}`));
  await live.log.append({ entries: filler });
  const record = namespaceForm.parse(disk.bytes('namespaces/acme'));
  const advisories = filler.map((_, i) => i);
  const statements = filler.map(() => `sha256:${'0'.repeat(64)}` as Digest);
  const grown = { ...record, head: { ...record.head, advisories }, statements };
  disk.plant('namespaces/acme', namespaceForm.format(grown));
}

describe('a flood of advisories', () => {
  test('ends at a limit for each release, which leaves room for recalls', async () => {
    const { live, digest } = await published();
    const { warnings, all } = ADVISORY_LIMITS.release;
    const flood = Array.from({ length: warnings }, () => advise(live, digest, 'quality'));
    await Promise.all(flood);
    await expect(advise(live, digest, 'security')).rejects.toThrowWithCode('too-large');
    for (let n = warnings; n < all; n++) await advise(live, digest, 'recalled');
    await expect(advise(live, digest, 'recalled')).rejects.toThrowWithCode('too-large');
    const { advisories } = await live.registry.freshness(ACME);
    expect(advisories).toHaveLength(all);
  });

  test('cannot pass the limit in one batch', async () => {
    const { live, digest } = await published();
    const { warnings } = ADVISORY_LIMITS.release;
    const flood = Array.from({ length: warnings + 9 }, () => advise(live, digest, 'quality'));
    const outcomes = await Promise.allSettled(flood);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(warnings);
  });

  test.each([
    ['security', ADVISORY_LIMITS.namespace.warnings],
    ['recalled', ADVISORY_LIMITS.namespace.all],
  ] as const)('ends at a limit for all %s of a namespace', async (kind, limit) => {
    const { live, digest } = await published();
    await plantAdvisories(live, limit - 1);
    await advise(live, digest, kind);
    await expect(advise(live, digest, kind)).rejects.toThrowWithCode('too-large');
  });

  // Clients read documents of twice the largest manifest (client/api.ts).
  test('at its limit is still an answer that clients read', async () => {
    const { live, digest } = await published();
    await advise(live, digest, 'quality', '\u2603'.repeat(MAX_SUMMARY));
    const [longest] = (await live.registry.freshness(ACME)).advisories;
    const { index, entry, proof } = longest!;
    const shown = JSON.stringify({ index, entry: formatBase64(entry), proof }).length;
    // Proofs in a log of 2^40 entries, and a dozen cosignatures, are longer by this.
    const longer = 8 * 1024;
    expect((shown + longer) * ADVISORY_LIMITS.namespace.all).toBeLessThan(MANIFEST_LIMITS.maxBytes);
  });

  test('is read and proved once, however many ask', async () => {
    const { live, digest } = await published();
    await advise(live, digest, 'quality');
    await live.close();
    const other = await live.world.open();
    const ask = () => other.registry.freshness(ACME);
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    answers.push(await ask());
    expect(new Set(answers).size).toBe(1);
  });
});
