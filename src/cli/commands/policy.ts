/** `policy show`, `policy set`, `policy history`: the policy of a namespace, its changes, all of them. */
import type { Command } from 'commander';
import { parseBase64 } from '../../core/bytes.ts';
import { parseJson } from '../../core/json.ts';
import { parseNamespace } from '../../core/release/name.ts';
import { parsePolicy } from '../../core/release/policy.ts';
import { declare, declareGroup, type Run, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { takingSignatures } from '../owner-signatures.ts';
import { setPolicy } from '../policy-set.ts';
import { openApi } from '../reach.ts';
import { formatTable } from '../table.ts';
import { parseCount } from '../units.ts';

export function makeCommand(run: Run): Command {
  return declareGroup('policy', 'policy show acme')
    .addCommand(
      declare('show', 'policy show acme')
        .description('show the policy in force, or the one that was logged at an index')
        .argument('<ns>', 'the namespace')
        .option('--index <n>', 'log index of an earlier policy')
        .addOption(urlFlag())
        .action(run(showPolicy)),
    )
    .addCommand(
      takingSignatures(
        declare('set', 'policy set acme acme.json --key owner.key')
          .description(
            'log the next version, signed by as many owners as the one in force asks for',
          )
          .argument('<ns>', 'the namespace')
          .argument('<file>', 'the whole new policy, as JSON'),
      ).action(run(setPolicy)),
    )
    .addCommand(
      declare('history', 'policy history acme')
        .description('list every version that the log has')
        .argument('<ns>', 'the namespace')
        .addOption(urlFlag())
        .action(run(showPolicies)),
    );
}

async function showPolicy(
  context: Context,
  flags: SharedFlags & { readonly index?: string },
  text: string,
): Promise<void> {
  const namespace = parseNamespace(text);
  const at = flags.index === undefined ? undefined : parseCount(flags.index, '--index');
  const api = await openApi(context);
  const found = await api.policy(namespace, at, { signal: context.signal });
  const policy = parsePolicy(parseBase64(found.policy));
  const signed = found.signed.map((envelope) =>
    parseJson(parseBase64(envelope), 'a signature of the policy'),
  );
  const lines = JSON.stringify(policy, null, 2).split('\n');
  context.output.result({ namespace, index: found.index, policy, signed }, lines);
}

async function showPolicies(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const namespace = parseNamespace(text);
  const api = await openApi(context);
  const { policies } = await api.policies(namespace, { signal: context.signal });
  const rows = policies.map(({ index, time, version, digest }) => [
    String(index),
    time,
    String(version),
    digest,
  ]);
  const lines = formatTable(['INDEX', 'TIME', 'VERSION', 'DIGEST'], rows, [
    'right',
    'left',
    'right',
  ]);
  context.output.result({ namespace, policies }, lines);
}
