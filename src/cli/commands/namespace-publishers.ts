/**
 * `namespace trust-publisher`, `trusted-publishers`, `distrust-publisher`: which CI jobs may
 * push to a namespace, on the operator's machine. docs/trusted-publishing.md tells the rest.
 */
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { parseNamespace } from '../../core/release/name.ts';
import {
  publisherId,
  type TrustedPublisher,
  trustedPublisher,
} from '../../core/release/trusted-publisher.ts';
import { parseShape } from '../../core/shape.ts';
import { parseRoot } from '../../core/trust/root.ts';
import { nodeHost } from '../../hashing/host.ts';
import { openStore } from '../../open-store.ts';
import {
  distrustPublisher,
  trustedPublishers,
  trustPublisher,
} from '../../registry/trusted-publishers.ts';
import type { Store } from '../../store/contract.ts';
import { keys } from '../../store/keys.ts';
import { collect, declare, type Run } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { formatFields } from '../table.ts';

const STORE = ['--store <store>', 'the registry’s store'] as const;

export function publisherCommands(run: Run): Command[] {
  return [
    declare(
      'trust-publisher',
      'namespace trust-publisher acme --store ./store \\\n      --issuer https://token.actions.githubusercontent.com \\\n      --claim repository=acme/kimi --claim environment=release',
    )
      .description('let CI jobs with exactly these claims push and seal')
      .argument('<ns>', 'the namespace')
      .requiredOption(...STORE)
      .requiredOption('--issuer <url>', 'who signs the jobs’ identities, exactly as they say it')
      .requiredOption('--claim <name=value>', 'what they must say; may be repeated', collect)
      .option('--audience <text>', 'whom they must be for (default: the registry’s origin)')
      .action(run(trust)),
    declare('trusted-publishers', 'namespace trusted-publishers acme --store ./store')
      .description('list the trusted publishers of a namespace')
      .argument('<ns>', 'the namespace')
      .requiredOption(...STORE)
      .action(run(list)),
    declare(
      'distrust-publisher',
      'namespace distrust-publisher acme 0f3c51d2a8e4b697 --store ./store',
    )
      .description('let no new jobs of a trusted publisher in')
      .argument('<ns>', 'the namespace')
      .argument('<id>', 'the trusted publisher’s id, as the list shows it')
      .requiredOption(...STORE)
      .action(run(distrust)),
  ];
}

interface StoreFlags extends SharedFlags {
  readonly store: string;
}

interface TrustFlags extends StoreFlags {
  readonly issuer: string;
  readonly claim: readonly string[];
  readonly audience?: string;
}

const idOf = (publisher: TrustedPublisher) => publisherId(nodeHost, publisher);

async function trust({ output }: Context, flags: TrustFlags, text: string): Promise<void> {
  const namespace = parseNamespace(text);
  const claims = parseClaims(flags.claim);
  await withStore(flags, async (store) => {
    const audience = flags.audience ?? (await originOf(store));
    const given = { issuer: flags.issuer, audience, claims };
    const publisher = parseShape(trustedPublisher, given, 'the trusted publisher', 'usage');
    await trustPublisher(store, namespace, publisher, idOf);
    output.result({ namespace, ...shown(publisher) }, [
      `${namespace} trusts ${idOf(publisher)}: its jobs can push and seal`,
    ]);
    output.say(`a server lets it in if its --oidc-issuers list ${publisher.issuer}`);
  });
}

async function list({ output }: Context, flags: StoreFlags, text: string): Promise<void> {
  const namespace = parseNamespace(text);
  await withStore(flags, async (store) => {
    const publishers = await trustedPublishers(store, namespace);
    const lines = publishers.flatMap(describe);
    output.result(
      { namespace, publishers: publishers.map(shown) },
      lines.length > 0 ? lines : [`${namespace} has no trusted publishers`],
    );
  });
}

async function distrust(
  { output }: Context,
  flags: StoreFlags,
  text: string,
  id: string,
): Promise<void> {
  const namespace = parseNamespace(text);
  await withStore(flags, (store) => distrustPublisher(store, namespace, id, idOf));
  output.result({ namespace, id, removed: true }, [
    `${namespace} no longer trusts ${id}; its tokens and uploads ended with that`,
  ]);
}

async function withStore(
  { store: address }: StoreFlags,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore(address);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

async function originOf(store: Store): Promise<string> {
  const root = await store.get(keys.root(1));
  if (root !== undefined) return parseRoot(nodeHost, root.bytes).document.origin;
  throw new CodedError('not-found', `${store.name} holds no registry`);
}

/** `name=value`; a value may hold further equals signs. */
function parseClaims(given: readonly string[]): Record<string, string> {
  const pairs = given.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new CodedError('usage', `--claim takes name=value, not "${text}"`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) {
    throw new CodedError('usage', 'a claim stands twice; trust a second publisher instead');
  }
  return Object.fromEntries(pairs);
}

function shown(publisher: TrustedPublisher) {
  return { id: idOf(publisher), ...publisher };
}

function describe(publisher: TrustedPublisher): string[] {
  const { issuer, audience, claims } = publisher;
  const fields = [['issuer', issuer], ['audience', audience], ...Object.entries(claims)];
  const lines = formatFields(fields as [string, string][]);
  return [idOf(publisher), ...lines.map((line) => `  ${line}`)];
}
