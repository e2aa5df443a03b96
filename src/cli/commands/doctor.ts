/**
 * `doctor`: is all well with a registry, and if not, what is to be done? It looks and changes
 * nothing, also while servers run. Exit status 1 when something has failed.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Api } from '../../client/api.ts';
import { parseRegistryUrl } from '../../client/http.ts';
import { formatCount } from '../../core/amounts.ts';
import { CodedError } from '../../core/error.ts';
import { parseCheckpoint } from '../../core/log/checkpoint.ts';
import { parseNote } from '../../core/note/note.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { nodeHost } from '../../hashing/host.ts';
import { inspectIndex } from '../../index/inspect.ts';
import { lastSeenPath } from '../../open-registry.ts';
import { openStore, proveStore } from '../../open-store.ts';
import { checkClocks } from '../../operator/doctor/clock.ts';
import { type Finding, failed, looking, ok, warning } from '../../operator/doctor/finding.ts';
import { checkKeys } from '../../operator/doctor/keys.ts';
import { checkLeftovers } from '../../operator/doctor/leftovers.ts';
import { checkLog } from '../../operator/doctor/log.ts';
import { checkServer, type ServerAnswers } from '../../operator/doctor/server.ts';
import { checkSpace } from '../../operator/doctor/space.ts';
import { readOrigin } from '../../operator/keys-directory.ts';
import { readStoredRoot } from '../../operator/stored-root.ts';
import type { Store } from '../../store/contract.ts';
import { keys } from '../../store/keys.ts';
import { declare, passphraseFlag, type Run, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { STATUS } from '../exit.ts';
import { givenPassphrase, type PassphraseFlags } from '../passphrase.ts';

export function makeCommand(run: Run): Command {
  return declare('doctor', 'doctor --store ./store --keys ./keys --url https://models.example.org')
    .requiredOption('--store <store>', 'the registry’s store')
    .requiredOption('--keys <dir>', 'the server’s keys')
    .option(
      '--index <dir>',
      'where the server keeps the search index and the last seen checkpoint (default: the user’s cache)',
    )
    .addOption(urlFlag())
    .addOption(passphraseFlag())
    .action(run(examine));
}

interface DoctorFlags extends PassphraseFlags {
  readonly store: string;
  readonly keys: string;
  readonly index?: string;
}

const REACH = 'look whether the address is right, and the disk is mounted or the bucket reachable';

async function examine(context: Context, flags: DoctorFlags): Promise<number> {
  const { output } = context;
  const passphrase = await givenPassphrase(context, flags);
  const opened: Store[] = [];
  const findings = [
    ...(await looking('store', REACH, async () => {
      // A bucket is only opened if it has proved its conditional writes.
      const store = await openStore(flags.store);
      opened.push(store);
      if (store.localPath !== undefined) await proveStore(store);
      return [ok('store', `${store.name} lets exactly one of several writers win`)];
    })),
  ];
  const [store] = opened;
  try {
    if (store !== undefined)
      findings.push(...(await examineStore(context, flags, store, passphrase)));
  } finally {
    await store?.close();
  }
  const worst = findings.some(({ status }) => status === 'failed');
  output.result({ ok: !worst, findings }, [...findings.flatMap(describe), conclude(findings)]);
  return worst ? STATUS.internal : 0;
}

async function examineStore(
  context: Context,
  flags: DoctorFlags,
  store: Store,
  passphrase: string | undefined,
): Promise<Finding[]> {
  const { clock, config } = context;
  const index = flags.index ?? join(config.cacheDirectory, 'index');
  const random = () => randomBytes(16).toString('hex');
  const parts = { store, host: nodeHost, clock, random };
  const keysDirectory = flags.keys;
  const lastSeen = (root: TrustRoot) => lastSeenPath(index, root);
  const url = flags.url ?? config.url;
  return [
    ...(await looking('clock', REACH, () => checkClocks(parts))),
    ...(await checkKeys({ ...parts, keysDirectory, passphrase })),
    ...(await checkLog({ ...parts, lastSeen })),
    ...(await looking('index', 'remove it: it is made again', () =>
      checkIndex(store, keysDirectory, index),
    )),
    ...(await looking('space', REACH, () => checkSpace(store))),
    ...(await looking('leftovers', REACH, () => checkLeftovers(parts))),
    ...(url === undefined ? [] : await examineServer(store, url, context)),
  ];
}

async function examineServer(
  store: Store,
  url: string,
  { signal }: Context,
): Promise<readonly Finding[]> {
  return looking('server', 'start it, and look whether the address is right', async () => {
    const { root } = await readStoredRoot(nodeHost, store);
    return checkServer(url, root, (address) => askServer(address, signal));
  });
}

async function askServer(url: string, signal: AbortSignal): Promise<ServerAnswers> {
  const api = new Api({ url: parseRegistryUrl(url) });
  const config = await api.configuration({ signal });
  const response = await fetch(`${api.http.url}/readyz`, { signal }).catch((cause: unknown) => {
    throw new CodedError('network', `${url} cannot be reached`, {}, { cause });
  });
  const { origin, vkey, url: told = api.http.url } = config;
  return {
    config: { origin, vkey, url: told },
    ready: { status: response.status, text: await response.text() },
  };
}

/** The index is a view: a server that runs keeps it to itself and up to date. */
async function checkIndex(
  store: Store,
  keysDirectory: string,
  directory: string,
): Promise<readonly Finding[]> {
  const path = join(directory, `${await readOrigin(keysDirectory)}.sqlite`);
  const index = inspectIndex(path);
  switch (index.state) {
    case 'absent':
      return [
        warning(
          'index',
          `there is none at ${path}`,
          'start a server here, or name its folder with --index',
        ),
      ];
    case 'busy':
      return [ok('index', 'a server has it open and keeps it up to date')];
    case 'damaged':
      return [
        failed(
          'index',
          `${path} is damaged: ${index.why}`,
          'remove it: the next start makes it again',
        ),
      ];
    case 'whole': {
      const stored = await store.get(keys.checkpoint());
      const size = stored === undefined ? 0 : parseCheckpoint(parseNote(stored.bytes).text).size;
      const behind = size - index.size;
      const says = `it is whole, at ${index.size} of the log’s ${size} entries`;
      if (behind < 0) {
        return [
          failed(
            'index',
            `it knows ${index.size} entries, the log has ${size}`,
            'find out which was restored from an older copy',
          ),
        ];
      }
      return [ok('index', says)];
    }
  }
}

function describe({ check, status, says, todo }: Finding): string[] {
  const line = `${status.padEnd(8)} ${check.padEnd(11)} ${says}`;
  return todo === undefined ? [line] : [line, `${' '.repeat(21)}→ ${todo}`];
}

function conclude(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) =>
    findings.filter((finding) => finding.status === status).length;
  return `${count('ok')} ok, ${formatCount(count('warning'), 'warning')}, ${count('failed')} failed`;
}
