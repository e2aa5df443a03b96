/**
 * Receipts on disk, one file each, below the folder that the caller gives
 * (`$XDG_CONFIG_HOME/weighhouse/receipts`):
 *
 *     <origin>/<label>.json     mode 0600
 *
 * Each is written beside its name and renamed, so that a kill leaves the old or the new.
 */
import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  formatReceipt,
  parseReceipt,
  type Receipt,
  type ReceiptStore,
} from '../client/receipts.ts';
import { CodedError } from '../core/error.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { makeFolder } from '../folders.ts';

const FILE = /^[0-9a-f]{64}\.json$/;
let writes = 0;

export class DiskReceipts implements ReceiptStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async all(origin: Origin): Promise<readonly Receipt[]> {
    const folder = join(this.#folder, origin);
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
      if (error.code === 'ENOENT') return [];
      throw new CodedError('storage', `${folder} cannot be read (${error.code})`);
    });
    const paths = names.filter((name) => FILE.test(name)).sort();
    return Promise.all(
      paths.map(async (name) => {
        const path = join(folder, name);
        return parseReceipt(new Uint8Array(await readFile(path)), path);
      }),
    );
  }

  async add(receipt: Receipt): Promise<boolean> {
    const path = this.#locate(receipt);
    const temporary = await this.#write(path, receipt);
    try {
      // A link, unlike a rename, never takes the place of what is there.
      await link(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async save(receipt: Receipt): Promise<void> {
    const path = this.#locate(receipt);
    await rename(await this.#write(path, receipt), path);
  }

  async #write(path: string, receipt: Receipt): Promise<string> {
    await makeFolder(join(this.#folder, receipt.origin), 0o700);
    const temporary = `${path}.${process.pid}.${writes++}.new`;
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(formatReceipt(receipt));
      await file.sync();
    } finally {
      await file.close();
    }
    return temporary;
  }

  #locate({ origin, label }: Receipt): string {
    return join(this.#folder, origin, `${label}.json`);
  }
}
