/** Keys: who can read them, whether they are the ones that the trust root names, and until when. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { Store } from '../../store/contract.ts';
import { areEncrypted } from '../keys-directory.ts';
import { LiveTrust } from '../live-trust.ts';
import { readStoredRoot } from '../stored-root.ts';
import { type Finding, failed, looking, ok, warning } from './finding.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Days before its end at which a trust root is to be renewed. */
const SOON_DAYS = 30;

export interface KeyParts {
  readonly store: Store;
  readonly host: Host;
  readonly keysDirectory: string;
  readonly passphrase: string | undefined;
  readonly clock: () => number;
}

export async function checkKeys(parts: KeyParts): Promise<readonly Finding[]> {
  const restore = 'put the key files that the trust root names into the keys directory';
  return [
    ...(await looking('keys', 'name the server’s keys with --keys', () => checkModes(parts))),
    ...(await looking('keys', restore, () => checkMatch(parts))),
    ...(await looking('trust root', 'restore root/ from a mirror with "weighhouse repair"', () =>
      checkExpiry(parts),
    )),
  ];
}

/** Private keys are for their user alone. */
async function checkModes({ keysDirectory }: KeyParts): Promise<readonly Finding[]> {
  const open: string[] = [];
  for (const name of await readdir(keysDirectory)) {
    if (!name.endsWith('.key')) continue;
    const { mode } = await stat(join(keysDirectory, name));
    if ((mode & 0o077) !== 0) open.push(name);
  }
  if (open.length === 0) return [ok('keys', 'only their owner can read the key files')];
  const says = `others on this machine can read ${open.join(', ')}`;
  return [
    failed('keys', says, `chmod 600 ${open.map((name) => join(keysDirectory, name)).join(' ')}`),
  ];
}

async function checkMatch(parts: KeyParts): Promise<readonly Finding[]> {
  const { keysDirectory, passphrase } = parts;
  if (passphrase === undefined && (await areEncrypted(keysDirectory))) {
    const says = 'the key files are encrypted and were not looked into';
    return [warning('keys', says, 'give --passphrase-file or WEIGHHOUSE_PASSPHRASE')];
  }
  await LiveTrust.open(parts);
  return [ok('keys', 'every key that the trust root names now is here, and no root key')];
}

async function checkExpiry({ store, host, clock }: KeyParts): Promise<readonly Finding[]> {
  const { root } = await readStoredRoot(host, store);
  const left = Math.floor((Date.parse(root.expires) - clock()) / DAY_MS);
  const says = `version ${root.version} ends on ${root.expires}`;
  const renew = 'renew it with "weighhouse root rotate"';
  if (left < 0) return [failed('trust root', `${says}: clients refuse it`, renew)];
  if (left < SOON_DAYS) return [warning('trust root', `${says}, in ${left} days`, renew)];
  return [ok('trust root', `${says}, in ${left} days`)];
}
