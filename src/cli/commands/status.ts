/** `status REF`: state of a draft, its sealed digest, and what the gate still lacks. */
import type { Command } from 'commander';
import type { DraftStatus } from '../../client/answers.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApiWithToken } from '../reach.ts';
import { formatFields } from '../table.ts';
import { formatBytes } from '../units.ts';

export function makeCommand(run: Run): Command {
  return declare('status', 'status acme/kimi-k2@v1.0')
    .argument('<ref>', 'namespace/name@version')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(showStatus));
}

async function showStatus(context: Context, _flags: SharedFlags, reference: string): Promise<void> {
  const release = parseReleaseName(reference);
  const api = await openApiWithToken(context);
  const status = await api.draftStatus(release, { signal: context.signal });
  context.output.result(status, describeStatus(status));
}

function describeStatus(status: DraftStatus): string[] {
  const { reference, state, revision, digest, index, seal } = status;
  const fields: [string, string][] = [
    ['release', reference],
    ['state', state],
    ['revision', String(revision)],
  ];
  if (digest !== undefined) fields.push(['digest', digest]);
  if (index !== undefined) fields.push(['log index', String(index)]);
  if (seal?.running === true) {
    fields.push(['sealing', `${formatBytes(seal.bytes)} of ${formatBytes(seal.total)} read`]);
  }
  if (seal?.running === false) fields.push(['seal failed', seal.error.message]);
  return [...formatFields(fields), ...describeMissing(status.missing)];
}

/** A newer server may lack things that this version does not know. */
function describeMissing(missing: readonly unknown[]): string[] {
  return missing.map((item) => {
    const { message, waitsFor } = item as { message?: string; waitsFor?: readonly string[] };
    const whom = waitsFor === undefined ? '' : ` (waits for ${waitsFor.join(', ')})`;
    return `lacks: ${message ?? JSON.stringify(item)}${whom}`;
  });
}
