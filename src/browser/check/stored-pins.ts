/**
 * Pins in a browser's `localStorage`, which lasts until the reader clears it:
 *
 *     weighhouse:<origin>:pin        {fingerprint, origin, since, urls, v: 1}
 *     weighhouse:<origin>:root.<n>   every version of the trust root that was believed, base64
 *     weighhouse:<origin>:seen       {checkpoint, heads: {index, time}, v: 1}: the newest believed
 *
 * The page's origin alone reads and writes them. What cannot be read is thrown, not forgotten: a
 * memory that was damaged must not pass for a first visit.
 */
import * as v from 'valibot';
import type { Pin, PinStore, Seen } from '../../client/pins.ts';
import { newestSeen } from '../../client/view.ts';
import { formatBase64, parseBase64, parseUtf8, utf8 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { formatCanonical, parseCanonical } from '../../core/json.ts';
import { type Origin, parseOrigin } from '../../core/log/checkpoint.ts';
import { MAX_NOTE_BYTES } from '../../core/note/note.ts';
import { count, digest, instant, parseShape, type Shape } from '../../core/shape.ts';

const PREFIX = 'weighhouse:';

const pinSchema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  fingerprint: digest,
  since: instant,
  urls: v.array(v.string()),
});
const seenSchema = v.strictObject({
  v: v.literal(1),
  checkpoint: v.pipe(v.string(), v.maxLength(MAX_NOTE_BYTES)),
  heads: v.exactOptional(v.strictObject({ index: count, time: instant })),
});

/** What is needed of `Storage`. */
export interface TextStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class StoredPins implements PinStore {
  readonly #storage: TextStorage;
  readonly #clock: () => number;

  constructor(storage: TextStorage, clock: () => number) {
    this.#storage = storage;
    this.#clock = clock;
  }

  async pins(): Promise<readonly Pin[]> {
    const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i) ?? '');
    const origins = keys.flatMap((key) => /^weighhouse:([^:]+):pin$/.exec(key)?.[1] ?? []);
    const pins = await Promise.all(origins.map((origin) => this.pin(parseOrigin(origin))));
    return pins.filter((pin) => pin !== undefined);
  }

  async pin(origin: Origin): Promise<Pin | undefined> {
    const pin = this.#read(pinSchema, origin, 'pin');
    return pin && { origin, fingerprint: pin.fingerprint, urls: pin.urls };
  }

  /** When the registry was pinned; undefined when it is not. */
  async since(origin: Origin): Promise<string | undefined> {
    return this.#read(pinSchema, origin, 'pin')?.since;
  }

  async savePin({ origin, fingerprint, urls }: Pin): Promise<void> {
    const since = (await this.since(origin)) ?? new Date(this.#clock()).toISOString();
    this.#write(origin, 'pin', { v: 1, origin, fingerprint, since, urls });
  }

  async roots(origin: Origin): Promise<readonly Uint8Array[]> {
    const roots: Uint8Array[] = [];
    for (;;) {
      const text = this.#storage.getItem(keyOf(origin, `root.${roots.length + 1}`));
      if (text === null) return roots;
      roots.push(parseBase64(text));
    }
  }

  async saveRoot(origin: Origin, version: number, bytes: Uint8Array): Promise<void> {
    this.#set(keyOf(origin, `root.${version}`), formatBase64(bytes));
  }

  async seen(origin: Origin): Promise<Seen | undefined> {
    const seen = this.#read(seenSchema, origin, 'seen');
    if (seen === undefined) return undefined;
    const { checkpoint, heads } = seen;
    return { checkpoint: utf8(checkpoint), ...(heads === undefined ? {} : { heads }) };
  }

  /** Only ever forwards: another page may have seen more meanwhile. */
  async saveSeen(origin: Origin, seen: Seen): Promise<void> {
    const { checkpoint, heads } = newestSeen(await this.seen(origin), seen);
    const note = parseUtf8(checkpoint);
    this.#write(origin, 'seen', { v: 1, checkpoint: note, ...(heads && { heads }) });
  }

  #read<T>(shape: Shape<T>, origin: Origin, name: string): T | undefined {
    const key = keyOf(origin, name);
    const text = this.#storage.getItem(key);
    if (text === null) return undefined;
    const what = `${key} in this browser’s storage`;
    return parseShape(shape, parseCanonical(utf8(text), what), what);
  }

  #write(origin: Origin, name: string, value: Parameters<typeof formatCanonical>[0]): void {
    this.#set(keyOf(origin, name), parseUtf8(formatCanonical(value)));
  }

  #set(key: string, text: string): void {
    try {
      this.#storage.setItem(key, text);
    } catch (cause) {
      const message =
        'this browser has no room to remember the registry in; clear some of its storage';
      throw new CodedError('disk-full', message, {}, { cause });
    }
  }
}

function keyOf(origin: Origin, name: string): string {
  return `${PREFIX}${origin}:${name}`;
}
