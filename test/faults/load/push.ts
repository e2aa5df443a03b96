/** Pushes a small model, as the same command again would. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../../../src/client/api.ts';
import type { Digest } from '../../../src/core/digest.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import type { HashingPool } from '../../../src/hashing/pool.ts';
import { noncesIn } from '../../../src/transfer/nonces.ts';
import { push } from '../../../src/transfer/push.ts';

export interface Pusher {
  readonly pool: HashingPool;
  /** Where the models, the nonces and the receipts lie. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The digest that was sealed. */
export async function pushModel(
  { pool, folder, signal }: Pusher,
  api: Api,
  reference: string,
): Promise<Digest> {
  const model = join(folder, reference.replaceAll('/', '-'));
  await mkdir(model, { recursive: true });
  await writeFile(join(model, 'README.md'), readmeOf(reference));
  await writeFile(join(model, 'config.json'), JSON.stringify({ reference }));
  const nonces = noncesIn(join(folder, 'nonces'), () => randomBytes(32).toString('hex'));
  const publisher = { host: nodeHost, api, pool, nonces };
  return (await push(publisher, model, parseReleaseName(reference), { signal })).digest!;
}

/** Bytes that only this release has. */
export function readmeOf(reference: string): string {
  return `# ${reference}\n`;
}
