/**
 * `trust add URL|FILE`, `trust list`, `trust export`: which registries this person believes.
 * A registry is known by the fingerprint of its first trust root, which must reach the
 * person some other way than from the registry itself.
 */
import { readFile, stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { Api } from '../../client/api.ts';
import { parseRegistryUrl } from '../../client/http.ts';
import type { Pin } from '../../client/pins.ts';
import {
  type Introduction,
  introduce,
  newestRoot,
  type ReadRoot,
  trust,
} from '../../client/trust.ts';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { EXPORT_FORMATS, type ExportFormat, formatExport } from '../../core/trust/export.ts';
import { nodeHost } from '../../hashing/host.ts';
import { declare, declareGroup, type Run, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openPins } from '../pins.ts';
import { ask } from '../prompt.ts';
import { formatFields, formatTable } from '../table.ts';
import { isInteractive } from '../world.ts';

export function makeCommand(run: Run): Command {
  return declareGroup('trust', 'trust add https://models.example.com --fingerprint sha256:9f86d0…')
    .addCommand(
      declare('add', 'trust add https://models.example.org --fingerprint sha256:9f86d0…')
        .description('pin a registry')
        .argument('<url|file>', 'its address, or version 1 of its root.json')
        .option('--fingerprint <digest>', 'what it must be; without it you are asked')
        .action(run(addTrust)),
    )
    .addCommand(
      declare('list', 'trust list').description('list pinned registries').action(run(listTrust)),
    )
    .addCommand(
      declare('export', 'trust export --format pem > release.pem')
        .description('write what other verifiers need to standard output')
        .addOption(
          new Option('--format <format>', 'in which form')
            .choices(EXPORT_FORMATS)
            .makeOptionMandatory(),
        )
        .option('--origin <host>', 'of which pinned registry; not needed for the only one')
        .addOption(urlFlag())
        .action(run(exportTrust)),
    );
}

interface AddFlags extends SharedFlags {
  readonly fingerprint?: string;
}

async function addTrust(context: Context, flags: AddFlags, source: string): Promise<void> {
  const expected =
    flags.fingerprint === undefined ? undefined : parseDigest(flags.fingerprint, '--fingerprint');
  const pins = openPins(context);
  const { readRoot, url } = await openSource(context, source);
  const introduction = await introduce(nodeHost, pins, readRoot);
  const fingerprint = expected ?? (await confirm(context, introduction));
  const pin = await trust(pins, introduction, fingerprint, url);
  const { root } = await newestRoot(nodeHost, pins, pin, readRoot);
  const { origin } = pin;
  context.output.result({ origin, fingerprint, url, version: root.version }, [
    `pinned ${origin}`,
    ...formatFields([['fingerprint', fingerprint]]),
  ]);
}

/** Where roots are read from: a registry's address, or one file. */
async function openSource(
  { signal }: Context,
  source: string,
): Promise<{ readRoot: ReadRoot; url: string | undefined }> {
  if (await isFile(source)) {
    const bytes = new Uint8Array(await readFile(source));
    return { readRoot: async (version) => (version === 1 ? bytes : undefined), url: undefined };
  }
  const api = new Api({ url: parseRegistryUrl(source) });
  return { readRoot: (version) => api.root(version, { signal }), url: api.http.url };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

/** Shows the fingerprint and asks. Throws `untrusted` when nobody can be asked, or who is asked says no. */
async function confirm(context: Context, introduction: Introduction): Promise<Digest> {
  const { output, world } = context;
  const { origin, fingerprint, known } = introduction;
  if (known?.fingerprint === fingerprint) return fingerprint;
  if (!isInteractive(world)) {
    throw new CodedError(
      'untrusted',
      `${origin} has the fingerprint ${fingerprint}; compare it with what its operator says, and pin it with --fingerprint`,
      { origin, fingerprint },
    );
  }
  output.say(`${origin} has the fingerprint`);
  output.say(`  ${fingerprint}`);
  output.say('Compare it with what its operator has told you some other way than by this address.');
  const answer = await ask(world, 'Is it the same? Type yes to pin it: ');
  if (answer.trim().toLowerCase() === 'yes') return fingerprint;
  throw new CodedError('untrusted', `${origin} was not pinned`);
}

async function listTrust(context: Context): Promise<void> {
  const pins = await openPins(context).pins();
  const rows = pins.map(({ origin, fingerprint, urls }) => [origin, fingerprint, urls.join(' ')]);
  const lines =
    pins.length === 0
      ? ['no registry is pinned; pin one with: weighhouse trust add URL']
      : formatTable(['ORIGIN', 'FINGERPRINT', 'ADDRESSES'], rows);
  context.output.result({ registries: pins }, lines);
}

interface ExportFlags extends SharedFlags {
  readonly format: ExportFormat;
  readonly origin?: string;
}

async function exportTrust(context: Context, flags: ExportFlags): Promise<void> {
  const { output } = context;
  const pins = openPins(context);
  const pin = choosePin(context, await pins.pins(), flags.origin);
  const { root } = await newestRoot(nodeHost, pins, pin, rootsOf(context, pin));
  const text = formatExport(nodeHost, root, flags.format);
  if (!output.json) output.text(text);
  else output.result({ origin: root.origin, format: flags.format, text }, []);
}

/** The one that is named, or the only one. */
function choosePin({ config }: Context, pins: readonly Pin[], origin: string | undefined): Pin {
  const url = config.url === undefined ? undefined : parseRegistryUrl(config.url);
  const fitting = pins.filter((pin) =>
    origin !== undefined ? pin.origin === origin : url === undefined || pin.urls.includes(url),
  );
  const [pin] = fitting;
  if (pin === undefined) {
    throw new CodedError(
      'untrusted',
      'no such registry is pinned; pin it with: weighhouse trust add URL',
    );
  }
  if (fitting.length === 1) return pin;
  const known = fitting.map((one) => one.origin).join(', ');
  throw new CodedError('usage', `which registry? name one of ${known} with --origin`);
}

/** Newer roots come from the registry; when it cannot be reached, those that are saved must do. */
function rootsOf({ output, signal }: Context, { urls }: Pin): ReadRoot {
  const [url] = urls;
  if (url === undefined) return async () => undefined;
  const api = new Api({ url: parseRegistryUrl(url) });
  return async (version) => {
    try {
      return await api.root(version, { signal });
    } catch (error) {
      if (!isCoded(error, 'network')) throw error;
      output.warn(`${url} cannot be reached: this is the trust root as it was last seen`);
      return undefined;
    }
  };
}
