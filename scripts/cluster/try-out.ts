/** The main job through the balancer: does what was started work? */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';

/** Pushes, publishes, pulls, verifies and audits a small release. Throws when any of it fails. */
export async function tryOut(cluster: Cluster, say: (line: string) => void): Promise<void> {
  const { directory, registry, url, weighhouse } = cluster;
  const [model, copy] = [join(directory, 'model'), join(directory, 'copy')];
  mkdirSync(model);
  writeFileSync(join(model, 'config.json'), '{}\n');
  writeFileSync(join(model, 'README.md'), '# A model to try the cluster with\n');
  const reference = `${registry.namespace}/tried@1.0`;
  const ask = async (...args: readonly string[]) => JSON.parse(await weighhouse(...args, '--json'));

  await ask('trust', 'add', url, '--fingerprint', registry.fingerprint);
  const { digest } = await ask('push', model, reference);
  const { index } = await ask('publish', reference, '--digest', digest);
  say(`published ${reference} at ${index} of the log`);
  await ask('pull', reference, copy);
  await ask('verify', copy, '--full');
  say('pulled and verified it');
  const { size, violations } = await ask('audit', url);
  say(`audited the log of ${size} entries: ${violations.length} violations`);
}
