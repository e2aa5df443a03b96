/** What an import takes from the command line: the source's host and token, and a folder to fetch into. */
import { hash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../core/error.ts';
import type { Source } from '../core/release/source.ts';
import { makeFolder } from '../folders.ts';
import type { Address, HubAddress, OciAddress } from '../transfer/import/address.ts';
import { HUB_ENDPOINT } from '../transfer/import/hub.ts';
import { openSource } from '../transfer/import/open-source.ts';
import type { Snapshot } from '../transfer/import/snapshot.ts';
import { type Context, places } from './context.ts';

export interface ImportFlags {
  readonly into?: string;
  readonly endpoint?: string;
  readonly sourceTokenFile?: string;
  readonly plainHttp?: boolean;
  readonly sourceUrl?: string;
  readonly sourceRevision?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** Which sources a flag says something about. */
const MEANT_FOR: readonly (readonly [keyof ImportFlags, string, readonly Address['kind'][]])[] = [
  ['into', '--into', ['hub', 'oci']],
  ['endpoint', '--endpoint', ['hub']],
  ['sourceTokenFile', '--source-token-file', ['hub', 'oci']],
  ['plainHttp', '--plain-http', ['oci']],
  ['sourceUrl', '--source-url', ['folder']],
  ['sourceRevision', '--source-revision', ['folder']],
];

/** Throws `usage` for a flag that says nothing about this kind of source. */
export function refuseMisplaced({ kind }: Address, flags: ImportFlags): void {
  const misplaced = MEANT_FOR.find(
    ([flag, , kinds]) => flags[flag] !== undefined && !kinds.includes(kind),
  );
  if (misplaced === undefined) return;
  const shown = { hub: 'hf://', oci: 'oci://', folder: 'a directory' }[kind];
  throw new CodedError('usage', `${misplaced[1]} says nothing about ${shown}; leave it out`);
}

/** A folder that files are fetched into. */
export interface Staging {
  readonly folder: string;
  /** Everything was pushed: removes a folder that nobody asked for. */
  clear(): Promise<void>;
}

/** The files at the address, as they stand now. */
export async function openSnapshot(
  { config, signal }: Context,
  flags: ImportFlags,
  address: HubAddress | OciAddress,
): Promise<Snapshot> {
  const { include, exclude, endpoint, plainHttp = false, sourceTokenFile } = flags;
  // HF_TOKEN belongs to HF_ENDPOINT: another host that is named here does not get it.
  const isUsualHub = address.kind === 'hub' && endpoint === undefined;
  const usual = isUsualHub ? config.hubToken : undefined;
  const token = sourceTokenFile === undefined ? usual : await readToken(sourceTokenFile);
  return openSource(address, {
    endpoint: endpoint ?? config.hubEndpoint ?? HUB_ENDPOINT,
    token,
    plainHttp,
    include,
    exclude,
    signal,
  });
}

/** The folder of `--into`, or one in the cache that the same import finds again. */
export async function openStaging(
  { config }: Context,
  { into, include = [], exclude = [] }: ImportFlags,
  { url, revision }: Source,
): Promise<Staging> {
  if (into !== undefined) return { folder: into, clear: async () => {} };
  const name = hash('sha256', JSON.stringify([url, revision, include, exclude])).slice(0, 32);
  const folder = join(places.imports(config), name);
  await makeFolder(folder, 0o700);
  return { folder, clear: () => rm(folder, { recursive: true, force: true }) };
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('usage', `${path} cannot be read (${error.code}); name a token's file`);
  });
  const token = text.trim();
  if (/^[\x21-\x7e]{1,8192}$/.test(token)) return token;
  throw new CodedError('usage', `${path} does not hold a token: one line without spaces`);
}
