/** `serve`: the server, until it is told to end; then it finishes what it has begun. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { parseBytesWay } from '../../config.ts';
import { CodedError, messageOf } from '../../core/error.ts';
import type { Patience } from '../../log/pause.ts';
import { type ServeOptions, serve } from '../../main.ts';
import { openStore, STORE_PATIENCE_MS } from '../../open-store.ts';
import { RATES, type Rates } from '../../server/rate-limits.ts';
import { parseTrustedProxies } from '../../server/trusted-proxies.ts';
import { parseAddress } from '../address.ts';
import { collect, declare, passphraseFlag, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type PassphraseFlags, serverPassphrase } from '../passphrase.ts';
import { parseBytes, parseDuration, parseRate } from '../units.ts';

export function makeCommand(run: Run): Command {
  return declare('serve', 'serve --store ./store --keys ./keys --listen 127.0.0.1:8080')
    .requiredOption('--store <store>', 'the registry’s store: a directory, or s3://bucket/prefix')
    .requiredOption('--keys <dir>', 'the server’s keys')
    .requiredOption('--listen <host:port>', 'where to listen; port 0 takes any that is free')
    .option('--public-url <url>', 'how clients reach it, behind a proxy')
    .option('--bytes <way>', 'how weights travel: direct (client to bucket) or through this server')
    .option('--bucket-url <url>', 'how clients reach the S3 server (default: as this server does)')
    .option(
      '--trusted-proxy <network...>',
      'load balancers whose X-Forwarded-For is believed: addresses or networks',
    )
    .option(
      '--drain-delay <duration>',
      'after SIGTERM, how long to take requests while /readyz is red (default: none)',
    )
    .option('--witness-policy <file>', 'C2SP tlog-policy: witnesses that must cosign')
    .option('--oidc-issuers <file>', 'issuers of CI identities that are trusted at all')
    .option('--sign-in <file>', 'OpenID providers with which people sign in, and who they are here')
    .option('--quota <size>', 'bytes of a namespace that has no quota of its own')
    .option(
      '--rate-limit <class=n>',
      `requests of one caller in a minute, 0 for any; of ${Object.keys(RATES).join(', ')}`,
      collect,
    )
    .addOption(
      new Option(
        '--oidc-allow-loopback',
        'for tests: issuers on this machine, without TLS',
      ).hideHelp(),
    )
    .option(
      '--index <dir>',
      'where the search index and the last seen checkpoint are kept (default: the user’s cache)',
    )
    .option(
      '--scrub-rate <rate>',
      'how fast the store is read for damage; 0 for not at all',
      '20MB/s',
    )
    .option('--no-scrub', 'do not look for damage in the background')
    .addOption(passphraseFlag())
    .action(run(runServer));
}

interface ServeFlags extends PassphraseFlags {
  readonly store: string;
  readonly keys: string;
  readonly listen: string;
  readonly publicUrl?: string;
  readonly bytes?: string;
  readonly bucketUrl?: string;
  readonly trustedProxy?: readonly string[];
  readonly drainDelay?: string;
  readonly witnessPolicy?: string;
  readonly oidcIssuers?: string;
  readonly oidcAllowLoopback?: boolean;
  readonly signIn?: string;
  readonly index?: string;
  readonly quota?: string;
  readonly rateLimit?: readonly string[];
  readonly scrubRate: string;
  readonly scrub: boolean;
}

async function runServer(context: Context, flags: ServeFlags): Promise<void> {
  const address = parseAddress(flags.listen);
  const bytes = parseBytesWay(flags.bytes, '--bytes') ?? context.config.bytes;
  const trustedProxies = parseTrustedProxies(flags.trustedProxy ?? [], '--trusted-proxy');
  const drainDelay =
    flags.drainDelay === undefined ? 0 : parseDuration(flags.drainDelay, '--drain-delay') * 1000;
  const scrubRate = flags.scrub ? parseRate(flags.scrubRate, '--scrub-rate') : 0;
  if (flags.oidcAllowLoopback) {
    context.output.warn('identities may come from this machine, without TLS: for tests only');
  }
  const passphrase = await serverPassphrase(context, flags, flags.keys);
  await serveUntilStopped(context, {
    store: await openStore(flags.store, {
      patience: patienceOf(context),
      bucketUrl: flags.bucketUrl ?? context.config.bucketUrl,
    }),
    bytes,
    keysDirectory: flags.keys,
    passphrase,
    address,
    publicUrl: flags.publicUrl,
    trustedProxies,
    drainDelay,
    indexDirectory: flags.index ?? join(context.config.cacheDirectory, 'index'),
    logLevel: context.config.logLevel,
    witnessPolicy: flags.witnessPolicy,
    oidcIssuers: flags.oidcIssuers,
    oidcAllowLoopback: flags.oidcAllowLoopback ?? false,
    signIn: flags.signIn ?? context.config.signIn,
    ...(flags.quota !== undefined && { quota: { bytes: parseBytes(flags.quota, '--quota') } }),
    rates: parseRates(flags.rateLimit ?? []),
    scrubRate,
  });
}

function parseRates(given: readonly string[]): Partial<Rates> {
  const pairs = given.map((text) => {
    const [, rate = '', limit = ''] = /^([a-z]+)=([0-9]{1,9})$/.exec(text) ?? [];
    if (Object.hasOwn(RATES, rate)) return [rate, Number(limit)] as const;
    const known = Object.keys(RATES).join(', ');
    throw new CodedError('usage', `--rate-limit takes class=n, of ${known}, not "${text}"`);
  });
  return Object.fromEntries(pairs);
}

/** Waits for a bucket that is not there yet, and says so once. */
function patienceOf({ output, signal }: Context): Patience {
  let isSaid = false;
  const onPause = (cause: unknown) => {
    if (!isSaid) output.warn(`the store does not answer and is waited for: ${messageOf(cause)}`);
    isSaid = true;
  };
  return { patience: STORE_PATIENCE_MS, signal, onPause };
}

/** Serves, says where, and ends in order when the person or the system asks for it. */
export async function serveUntilStopped(
  { output, signal }: Context,
  options: ServeOptions,
): Promise<void> {
  const serving = await serve(options);
  output.result({ url: serving.url }, [`listening on ${serving.url}`]);
  if (!signal.aborted) {
    await new Promise((stopped) => signal.addEventListener('abort', stopped, { once: true }));
  }
  output.say('finishing what was begun, then ending');
  await serving.close();
}
