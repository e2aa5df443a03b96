/**
 * `inspect PATH`, `inspect REF`: what a file, a directory or a release is, and the tensors in it.
 * Of a release only the headers are read, wherever it is.
 */
import type { Command } from 'commander';
import { warnOfAdvisories } from '../advisories.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { inspectPublished } from '../inspect-published.ts';
import type { Inspected } from '../inspected.ts';
import { inspectPath } from '../inspection.ts';
import { inspectionDocument, inspectionLines } from '../inspection-text.ts';
import { showing } from '../progress.ts';
import { openSource } from '../source.ts';

export function makeCommand(run: Run): Command {
  return declare('inspect', 'inspect acme/kimi-k2@v1.0')
    .argument('<what>', 'a file, a directory with a model, or a reference')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(inspect));
}

async function inspect(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const { output } = context;
  const inspected = await look(context, text);
  const { published, warnings } = inspected;
  if (published !== undefined) warnOfAdvisories(output, published.reference, published.resolved);
  for (const warning of warnings) output.warn(warning);
  output.result(inspectionDocument(inspected), inspectionLines(inspected));
}

async function look(context: Context, text: string): Promise<Inspected> {
  const source = await openSource(context, text);
  if ('path' in source) return inspectPath(source.path);
  const { signal, world } = context;
  return showing({ screen: world.stderr }, (onProgress) =>
    inspectPublished(source.reader, source.reference, { signal, onProgress }),
  );
}
