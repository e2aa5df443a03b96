/**
 * Documents that change with the log: a namespace, the newest heads, the places of the trust
 * roots. Whatever they say of an entry must stand there. Entries that are committed and not
 * public yet are left for the next scrub.
 */
import { headsRoot } from '../../core/log/heads.ts';
import { headsForm } from '../../registry/documents/heads.ts';
import { type NamespaceRecord, namespaceForm } from '../../registry/documents/namespace.ts';
import { rootsForm } from '../../registry/documents/roots.ts';
import { leavesOf } from '../../registry/heads.ts';
import { type Key, keys } from '../../store/keys.ts';
import type { LogTruth } from '../log-truth.ts';
import type { CheckParts, Problem } from './parts.ts';

export async function checkWithLog(
  { log, host }: CheckParts,
  key: Key,
  bytes: Uint8Array,
): Promise<Problem | undefined> {
  if (key === keys.heads()) {
    const heads = headsForm.parse(bytes);
    if (log === undefined || heads.index >= log.head.size) return undefined;
    const entry = await log.entry(heads.index);
    const root = headsRoot(host, leavesOf(heads));
    const fits = entry?.kind === 'heads' && entry.time === heads.time && entry.root === root;
    return fits ? undefined : wrong(`it is not the heads of entry ${heads.index}`);
  }
  if (key === keys.roots()) return checkRoots(log, rootsForm.parse(bytes).logged);
  return checkNamespace(log, key, namespaceForm.parse(bytes));
}

async function checkRoots(
  log: LogTruth | undefined,
  logged: readonly number[],
): Promise<Problem | undefined> {
  for (const [i, index] of logged.entries()) {
    if (log === undefined || index >= log.head.size) break;
    const entry = await log.entry(index);
    if (entry?.kind === 'root' && entry.version === i + 2) continue;
    return wrong(`entry ${index} is not version ${i + 2} of the trust root`);
  }
  return undefined;
}

async function checkNamespace(
  log: LogTruth | undefined,
  key: Key,
  { head, policies, statements, index }: NamespaceRecord,
): Promise<Problem | undefined> {
  if (key !== `namespaces/${head.namespace}`) return wrong(`it is the namespace ${head.namespace}`);
  if (policies.at(-1)!.index !== head.policy) return wrong('its newest policy is not its policy');
  if (log === undefined || index >= log.head.size) return undefined;
  for (const policy of policies) {
    const entry = await log.entry(policy.index);
    const fits =
      (entry?.kind === 'namespace' || entry?.kind === 'policy') &&
      entry.namespace === head.namespace &&
      entry.policy === policy.digest &&
      entry.time === policy.time &&
      isSame(entry.signed, policy.signed);
    if (!fits) return wrong(`entry ${policy.index} is not the policy that it names`);
  }
  for (const [name, at] of Object.entries(head.releases)) {
    const entry = await log.entry(at);
    const model = `${head.namespace}/${name}@`;
    if (entry?.kind === 'release' && entry.release.startsWith(model)) continue;
    return wrong(`entry ${at} is no release of ${head.namespace}/${name}`);
  }
  for (const [i, at] of head.advisories.entries()) {
    const entry = await log.entry(at);
    if (entry?.kind === 'advisory' && entry.statement === statements[i]) continue;
    return wrong(`entry ${at} is not the advisory that it names`);
  }
  return undefined;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

function wrong(detail: string): Problem {
  return { problem: 'damaged', detail };
}
