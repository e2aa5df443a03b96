/**
 * Pins on disk, one folder a registry, below the folder that the caller gives
 * (`$XDG_CONFIG_HOME/weighhouse/registries`):
 *
 *     <origin>/pin.json         {fingerprint, origin, urls, v: 1}
 *     <origin>/root.<n>.json    every version of the trust root that was believed
 *     <origin>/seen.json        {checkpoint, heads: {index, time}, v: 1}: the newest believed
 *
 * Each is written beside its name and renamed, so that a kill leaves the old or the new.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Pin, PinStore, Seen } from '../client/pins.ts';
import { newestSeen } from '../client/view.ts';
import { parseUtf8, utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { type Origin, parseOrigin } from '../core/log/checkpoint.ts';
import { MAX_NOTE_BYTES } from '../core/note/note.ts';
import { count, digest, instant, parseShape, type Shape } from '../core/shape.ts';
import { makeFolder } from '../folders.ts';
import { replaceFile } from '../whole-file.ts';

const pinSchema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  fingerprint: digest,
  urls: v.array(v.string()),
});
const seenSchema = v.strictObject({
  v: v.literal(1),
  checkpoint: v.pipe(v.string(), v.maxLength(MAX_NOTE_BYTES)),
  heads: v.exactOptional(v.strictObject({ index: count, time: instant })),
});

export class DiskPins implements PinStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async pins(): Promise<readonly Pin[]> {
    const names = await readdir(this.#folder).catch((error: unknown): string[] => {
      if (isAbsent(error)) return [];
      throw unreadable(this.#folder, error);
    });
    const pins = await Promise.all(names.filter(isOrigin).map((name) => this.pin(name)));
    return pins.filter((pin) => pin !== undefined);
  }

  async pin(origin: Origin): Promise<Pin | undefined> {
    const pin = await this.#read(pinSchema, origin, 'pin.json');
    if (pin === undefined) return undefined;
    if (pin.origin === origin) return { origin, fingerprint: pin.fingerprint, urls: pin.urls };
    throw new CodedError('bad-document', `${this.#locate(origin, 'pin.json')} is of ${pin.origin}`);
  }

  async savePin({ origin, fingerprint, urls }: Pin): Promise<void> {
    const document = formatCanonical({ v: 1, origin, fingerprint, urls });
    await this.#write(origin, 'pin.json', document);
  }

  async roots(origin: Origin): Promise<readonly Uint8Array[]> {
    const roots: Uint8Array[] = [];
    for (;;) {
      const bytes = await this.#readBytes(origin, rootName(roots.length + 1));
      if (bytes === undefined) return roots;
      roots.push(bytes);
    }
  }

  async saveRoot(origin: Origin, version: number, bytes: Uint8Array): Promise<void> {
    await this.#write(origin, rootName(version), bytes);
  }

  async seen(origin: Origin): Promise<Seen | undefined> {
    const seen = await this.#read(seenSchema, origin, 'seen.json');
    if (seen === undefined) return undefined;
    const { checkpoint, heads } = seen;
    return { checkpoint: utf8(checkpoint), ...(heads === undefined ? {} : { heads }) };
  }

  /** Only ever forwards: another command may have seen more meanwhile. */
  async saveSeen(origin: Origin, seen: Seen): Promise<void> {
    const before = await this.seen(origin);
    const { checkpoint: note, heads } = newestSeen(before, seen);
    const checkpoint = parseUtf8(note);
    const document = formatCanonical({ v: 1, checkpoint, ...(heads && { heads }) });
    await this.#write(origin, 'seen.json', document);
  }

  async #read<T>(shape: Shape<T>, origin: Origin, name: string): Promise<T | undefined> {
    const bytes = await this.#readBytes(origin, name);
    if (bytes === undefined) return undefined;
    const what = this.#locate(origin, name);
    return parseShape(shape, parseCanonical(bytes, what), what);
  }

  async #readBytes(origin: Origin, name: string): Promise<Uint8Array | undefined> {
    const location = this.#locate(origin, name);
    try {
      return new Uint8Array(await readFile(location));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw unreadable(location, error);
    }
  }

  async #write(origin: Origin, name: string, bytes: Uint8Array): Promise<void> {
    const location = this.#locate(origin, name);
    try {
      await makeFolder(join(this.#folder, origin), 0o700);
      await replaceFile(location, bytes, 0o600);
    } catch (error) {
      throw unreadable(location, error, 'written');
    }
  }

  #locate(origin: Origin, name: string): string {
    return join(this.#folder, parseOrigin(origin), name);
  }
}

/** Anything may lie among the folders of registries; only these are ours. */
function isOrigin(name: string): name is Origin {
  try {
    return parseOrigin(name) === name;
  } catch {
    return false;
  }
}

function rootName(version: number): string {
  return `root.${version}.json`;
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(location: string, error: unknown, how = 'read'): CodedError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CodedError('disk-full', `there is no room for ${location}; free some and try again`);
  }
  return new CodedError('storage', `${location} cannot be ${how} (${code}); check its rights`);
}
