/**
 * A registry on its store, with its log and its keys: what the server and the operator's commands
 * share. What a crash left is finished before it is handed out.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from './core/error.ts';
import { parseTlogPolicy } from './core/log/tlog-policy.ts';
import type { TrustRoot } from './core/trust/succession.ts';
import { nodeHost } from './hashing/host.ts';
import { HashingPool } from './hashing/pool.ts';
import { type LastSeen, openLastSeen } from './log/last-seen.ts';
import { type LogReader, type OpenCheckpoint, openLogReader } from './log/reader.ts';
import { openOwn } from './log/recover.ts';
import { type Observer, openSequencer, type Sequencer } from './log/sequencer.ts';
import { openWitnesses, type Witnesses } from './log/witnesses.ts';
import { LiveTrust } from './operator/live-trust.ts';
import type { Damages } from './registry/damages.ts';
import { closeWithHeads } from './registry/heads.ts';
import { openRegistry } from './registry/open.ts';
import type { Limits } from './registry/quotas.ts';
import type { Registry } from './registry/registry.ts';
import type { DirectAccess, Store } from './store/contract.ts';
import { keys } from './store/keys.ts';

/** A registry on its store, without a server around it. */
export interface OpenRegistry {
  readonly registry: Registry;
  readonly log: LogReader;
  readonly sequencer: Sequencer;
  readonly trust: LiveTrust;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly observer?: Observer;
  /** Where this node remembers how far it has seen the log. */
  readonly stateDirectory?: string;
  /** A C2SP tlog-policy file that names the witnesses whose cosignatures a checkpoint needs. */
  readonly witnessPolicy?: string | undefined;
  readonly onAbsentWitness?: (witness: string, cause: unknown) => void;
  /** What clients do with the store by themselves. */
  readonly direct?: DirectAccess | undefined;
  /** Told of each newer trust root. */
  readonly onRoot?: (root: TrustRoot) => void;
  /** What is known to be damaged, where somebody else asks too. */
  readonly damages?: Damages;
  /** Told of each publish that was left in the middle and cannot be finished for now. */
  readonly onUnfinished?: (marker: string, cause: unknown) => void;
  /** What a namespace may take up that has no quota of its own. */
  readonly quota?: Limits | undefined;
}

/** Opens the registry in `store` with the keys of `directory`, and finishes what a crash left. */
export async function openRegistryAt(
  store: Store,
  directory: string,
  passphrase: string | undefined,
  options: RegistryOptions = {},
): Promise<OpenRegistry> {
  const trust = await LiveTrust.open({
    store,
    host: nodeHost,
    keysDirectory: directory,
    passphrase,
    ...(options.onRoot === undefined ? {} : { onRoot: options.onRoot }),
  });
  const clock = Date.now;
  const random = () => new Uint8Array(randomBytes(32));
  const { stateDirectory, witnessPolicy, onAbsentWitness, observer } = options;
  const sequencer = await openSequencer({
    store,
    host: nodeHost,
    origin: trust.origin,
    get keys() {
      return trust.logKeys;
    },
    get formerKeys() {
      return trust.formerLogKeys;
    },
    renewKeys: () => trust.renew(),
    clock,
    random,
    closing: closeWithHeads(nodeHost),
    ...(observer !== undefined && { observer }),
    ...(stateDirectory !== undefined && {
      lastSeen: lastSeenOf(stateDirectory, trust, observer),
    }),
    ...(witnessPolicy !== undefined && (await openPolicy(store, witnessPolicy, onAbsentWitness))),
  });
  const log = openLogReader(store, nodeHost, openingBy(store, trust));
  const hashing = new HashingPool();
  const registry = await openRegistry({
    store,
    host: nodeHost,
    origin: trust.origin,
    log: sequencer,
    reader: log,
    keys: trust,
    hashing,
    direct: options.direct,
    clock,
    random,
    damages: options.damages,
    onUnfinished: options.onUnfinished,
    quota: options.quota,
  });
  await registry.recover();
  return {
    registry,
    log,
    sequencer,
    trust,
    async close() {
      // The order in which they need each other: what still runs may still be logged.
      await registry.close();
      await sequencer.close();
      await hashing.close();
    },
  };
}

/** A registry that is made anew under the same name has other keys, and nothing to do with the old one. */
export function lastSeenPath(directory: string, { origin, log }: TrustRoot): string {
  const first = log[0]!.key;
  return join(directory, `${origin}+${first.id.toString(16).padStart(8, '0')}.checkpoint`);
}

function lastSeenOf(directory: string, { root }: LiveTrust, observer?: Observer): LastSeen {
  return openLastSeen(lastSeenPath(directory, root), (cause) => observer?.failed?.(cause));
}

/** Opens checkpoints that a key of the trust root has signed. */
function openingBy(store: Store, trust: LiveTrust): OpenCheckpoint {
  const open = (note: Uint8Array) => {
    const { origin, logKeys, formerLogKeys } = trust;
    const log = { store, host: nodeHost, origin, keys: logKeys, formerKeys: formerLogKeys };
    return openOwn(log, keys.checkpoint(), note);
  };
  return async (note) => {
    try {
      return open(note);
    } catch {
      // Another server may have signed it by a key that a newer root names.
      await trust.renew();
      return open(note);
    }
  };
}

async function openPolicy(
  store: Store,
  path: string,
  onAbsent: RegistryOptions['onAbsentWitness'],
): Promise<Witnesses> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CodedError('usage', `the witness policy ${path} cannot be read: ${error.message}`);
  });
  const policy = parseTlogPolicy(nodeHost, bytes);
  return openWitnesses({
    store,
    host: nodeHost,
    policy,
    ...(onAbsent === undefined ? {} : { onAbsent }),
  });
}
