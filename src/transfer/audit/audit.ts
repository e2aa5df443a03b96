/** `audit` in Node: on every core, and with the content of the releases where that is asked for. */
import { type AuditOptions, type AuditReport, audit } from '../../client/audit/audit.ts';
import type { Reader } from '../../client/release.ts';
import { AuditThreads } from '../../hashing/audit-threads.ts';
import { HashingPool } from '../../hashing/pool.ts';
import type { OnProgress } from '../progress.ts';
import { auditContent, type Unread } from './content.ts';
import { TileConnections } from './tiles.ts';

export interface AuditRegistryOptions
  extends Pick<AuditOptions, 'state' | 'onRelease' | 'onProgress' | 'signal'> {
  /** Read and hash every byte of every release too, also of those before `state`. */
  readonly content?: boolean;
  /** How far the content is, file by file. */
  readonly onContent?: OnProgress | undefined;
}

export interface RegistryAuditReport extends AuditReport {
  /** Releases whose content was to be read, and is for others. */
  readonly unread: readonly Unread[];
}

/** Audits the pinned registry that `reader` reaches. Throws as `audit` does. */
export async function auditRegistry(
  reader: Reader,
  options: AuditRegistryOptions = {},
): Promise<RegistryAuditReport> {
  const { content = false, onContent, ...rest } = options;
  const threads = new AuditThreads();
  const pool = new HashingPool();
  const { host } = threads;
  const { api } = reader;
  const unread: Unread[] = [];
  const onUnread = (each: Unread) => unread.push(each);
  const { signal } = options;
  const visitRelease = content
    ? auditContent({ host, api, pool, onProgress: onContent, onUnread, signal })
    : undefined;
  const tiles = new TileConnections(api, options.signal);
  const parts = { hasher: threads, readTile: tiles.read, visitRelease };
  try {
    const report = await audit({ ...reader, host }, { ...rest, ...parts });
    return { ...report, unread };
  } finally {
    tiles.close();
    await threads.close();
    await pool.close();
  }
}
