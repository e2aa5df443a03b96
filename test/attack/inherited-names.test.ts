/**
 * Anybody who may publish may call a model `constructor` or `prototype`, which every object
 * of JavaScript has or may have by itself. If the registry's view of the heads lost such a
 * name, every audit of its log would fail for ever.
 */
import { expect, test } from '@jest/globals';
import { Findings } from '../../src/core/audit/findings.ts';
import { LogFold } from '../../src/core/audit/fold.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { leafHash } from '../../src/core/log/merkle.ts';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { verifyFreshness } from '../../src/core/verify/freshness.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { caller, type LiveRegistry, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();
const NAMES = ['constructor', 'prototype'];

/** What an auditor finds wrong with the log. */
async function violations({ reader }: LiveRegistry) {
  const findings = new Findings();
  const fold = new LogFold(nodeHost, findings);
  const { size } = await reader.published();
  for (const [index, bytes] of (await reader.entries(0, size)).entries()) {
    fold.add(index, bytes, leafHash(nodeHost, bytes));
  }
  fold.end();
  return findings.violations;
}

/** The head that a client believes. */
async function headOf(live: LiveRegistry, name: string) {
  const namespace = parseNamespace(name);
  const freshness = await live.registry.freshness(namespace);
  const documents = { ...freshness, proof: utf8(freshness.proof), advisories: [] };
  const now = live.world.clock();
  const verdict = verifyFreshness(nodeHost, live.world.root, namespace, documents, now);
  if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.message}`);
  return verdict.head;
}

test('models and namespaces named like what objects inherit are logged, shown and audited like any other', async () => {
  const live = await (await makeWorld()).openWithNamespace();
  for (const name of NAMES) {
    await live.createNamespace(name);
    for (const namespace of ['acme', name]) {
      const release = parseReleaseName(`${namespace}/${name}@v1`);
      await live.release(caller(parseNamespace(namespace), 'publisher'), release);
    }
  }
  await live.createNamespace('zeta');
  expect(await violations(live)).toEqual([]);
  for (const namespace of ['acme', ...NAMES]) {
    const names = namespace === 'acme' ? NAMES : [namespace];
    expect(Object.keys((await headOf(live, namespace)).releases).sort()).toEqual(names);
  }
});
