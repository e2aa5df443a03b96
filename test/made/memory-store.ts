/**
 * A store in memory, for tests alone. It keeps the contract (src/store/contract.ts),
 * and fails where a test says so: before or after a write takes effect.
 *
 * A `Disk` outlives the process that writes to it: open a second store on it and you have a
 * second process, or the same one after a crash.
 */
import { concat } from '../../src/core/bytes.ts';
import { CodedError } from '../../src/core/error.ts';
import type {
  ByteRange,
  Part,
  Stat,
  Store,
  Stored,
  UploadId,
  UploadShape,
  Version,
} from '../../src/store/contract.ts';
import type { Key, KeyPrefix } from '../../src/store/keys.ts';
import {
  checkAllParts,
  checkPartLength,
  checkShape,
  missingPart,
  wrongLength,
} from '../../src/store/upload-shape.ts';

/** What changes the objects of a disk. */
export type Write = 'create' | 'swap' | 'delete' | 'begin' | 'part' | 'complete' | 'abort';

/** What one store does to the objects of one disk. */
export interface Operation {
  readonly kind: 'get' | 'read' | 'size' | 'stat' | 'list' | Write;
  readonly key: string;
}

/**
 * - `die-before`, `die-after`: the process is killed; nothing this store is asked ever
 *   answers again, as nothing does in a process that is gone.
 * - `fail`: no effect, and an error.
 * - `lose`: the effect, and `unknown-outcome` instead of the answer.
 * - `late`: `unknown-outcome` now, the effect (if it still may) when the disk's `deliver` is called.
 * - `twice`: the effect and its answer; the same request arrives again at `deliver`.
 * - `undecided`: no effect, and `unknown-outcome` (a 409, a time-out of what never arrived).
 * - `deny`: the effect, but the answer that the condition was false (a 412 by one's own write).
 * - `refuse`: no effect, and the answer that the condition was false, though it was not.
 */
export type Fault =
  | 'die-before'
  | 'die-after'
  | 'fail'
  | 'full'
  | 'lose'
  | 'late'
  | 'twice'
  | 'undecided'
  | 'deny'
  | 'refuse'
  | undefined;

export interface Behaviour {
  /** Asked before each operation. */
  readonly fault?: (operation: Operation) => Fault;
  /** Waited for before an operation has its effect, and before its answer is seen: a stopped process. */
  readonly pause?: (operation: Operation, when: 'before' | 'after') => Promise<void> | undefined;
  /** How many turns of the event loop an operation takes: makes interleavings. */
  readonly turns?: (operation: Operation) => number;
}

interface Object {
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly version: Version;
  /** A key is for one kind of write alone; what a test planted serves for both. */
  readonly made: 'create' | 'swap' | 'planted';
}

interface Upload {
  /** Milliseconds since 1970. */
  touched: number;
  readonly key: Key;
  readonly shape: UploadShape;
  readonly parts: Map<number, Uint8Array>;
}

const forever = () => new Promise<never>(() => {});

export class Disk {
  readonly objects = new Map<string, Object>();
  readonly uploads = new Map<string, Upload>();
  /** Every write that took effect, in order. */
  readonly writes: Operation[] = [];
  /** What every swap has written, in order. */
  readonly swapped: { readonly key: string; readonly bytes: Uint8Array }[] = [];
  /** What objects are dated by. */
  clock: () => number = Date.now;
  readonly #late: (() => void)[] = [];
  #versions = 0;

  open(behaviour: Behaviour = {}): Store {
    return new MemoryStore(this, behaviour);
  }

  /** The object's bytes; throws when there is none. */
  bytes(key: string): Uint8Array {
    const object = this.objects.get(key);
    if (object === undefined) throw new Error(`the disk has no ${key}`);
    return object.bytes;
  }

  /** Puts an object there behind every store's back. */
  plant(key: string, bytes: Uint8Array): void {
    this.objects.set(key, {
      bytes,
      modified: this.clock(),
      version: this.version(),
      made: 'planted',
    });
  }

  /** An independent copy: a backup, or what a second crash starts from. */
  copy(): Disk {
    const copy = new Disk();
    for (const [key, object] of this.objects) copy.objects.set(key, object);
    for (const [id, upload] of this.uploads) {
      copy.uploads.set(id, { ...upload, parts: new Map(upload.parts) });
    }
    copy.#versions = this.#versions;
    copy.clock = this.clock;
    return copy;
  }

  version(): Version {
    this.#versions += 1;
    return `v${this.#versions}` as Version;
  }

  /** Keeps a delayed write. */
  delay(effect: () => void): void {
    this.#late.push(effect);
  }

  /** Lets the delayed writes arrive. */
  deliver(): void {
    for (const effect of this.#late.splice(0)) effect();
  }
}

class MemoryStore implements Store {
  readonly name = 'memory';
  readonly #disk: Disk;
  readonly #behaviour: Behaviour;
  #dead = false;

  constructor(disk: Disk, behaviour: Behaviour) {
    this.#disk = disk;
    this.#behaviour = behaviour;
  }

  get(key: Key, maxBytes = 1 << 24): Promise<Stored | undefined> {
    return this.#operate({ kind: 'get', key }, () => {
      const object = this.#disk.objects.get(key);
      if (object !== undefined && object.bytes.length > maxBytes) {
        throw new CodedError('too-large', `${key} is larger than ${maxBytes} bytes`);
      }
      return object && { bytes: object.bytes, version: object.version };
    });
  }

  read(key: Key, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
    return this.#operate({ kind: 'read', key }, () => {
      const object = this.#disk.objects.get(key);
      if (object === undefined) throw new CodedError('not-found', `there is no ${key}`);
      const { offset, length } = range ?? { offset: 0, length: object.bytes.length };
      const bytes = object.bytes.slice(offset, offset + length);
      if (bytes.length !== length) throw new CodedError('storage', `${key} ends before the range`);
      return new Blob([bytes]).stream() as ReadableStream<Uint8Array>;
    });
  }

  size(key: Key): Promise<number | undefined> {
    return this.#operate({ kind: 'size', key }, () => this.#disk.objects.get(key)?.bytes.length);
  }

  stat(key: Key): Promise<Stat | undefined> {
    return this.#operate({ kind: 'stat', key }, () => {
      const object = this.#disk.objects.get(key);
      return object && { modified: object.modified, version: object.version };
    });
  }

  create(key: Key, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#operate({ kind: 'create', key }, () => {
      const there = this.#disk.objects.get(key);
      if (there?.made === 'swap') throw new Error(`${key} is a document: it cannot be created`);
      if (there !== undefined) return 'exists';
      this.#put({ kind: 'create', key }, bytes);
      return 'created';
    });
  }

  swap(key: Key, expected: Version | null, bytes: Uint8Array): Promise<Version | undefined> {
    return this.#operate({ kind: 'swap', key }, () => {
      const there = this.#disk.objects.get(key);
      if (there?.made === 'create') throw new Error(`${key} is an object: it cannot be swapped`);
      if ((there?.version ?? null) !== expected) return undefined;
      return this.#put({ kind: 'swap', key }, bytes);
    });
  }

  async *list(prefix: KeyPrefix): AsyncIterable<Key> {
    const found = await this.#operate({ kind: 'list', key: prefix }, () =>
      [...this.#disk.objects.keys()].filter((key) => key.startsWith(prefix)),
    );
    yield* found as Key[];
  }

  delete(key: Key): Promise<void> {
    return this.#operate({ kind: 'delete', key }, () => {
      if (this.#disk.objects.delete(key)) this.#disk.writes.push({ kind: 'delete', key });
    });
  }

  beginUpload(key: Key, shape: UploadShape): Promise<UploadId> {
    return this.#operate({ kind: 'begin', key }, () => {
      checkShape(shape);
      const id = `upload-${this.#disk.version()}` as UploadId;
      this.#disk.uploads.set(id, { key, shape, parts: new Map(), touched: Date.now() });
      this.#disk.writes.push({ kind: 'begin', key });
      return id;
    });
  }

  async putPart(
    key: Key,
    id: UploadId,
    number: number,
    length: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Part> {
    checkPartLength(this.#upload(key, id).shape, number, length);
    const bytes = await collect(body);
    if (bytes.length !== length) throw wrongLength(number, bytes.length, length);
    return this.#operate({ kind: 'part', key }, () => {
      const upload = this.#upload(key, id);
      upload.parts.set(number, bytes);
      upload.touched = Date.now();
      this.#disk.writes.push({ kind: 'part', key });
      return { number, tag: `part-${number}` };
    });
  }

  completeUpload(key: Key, id: UploadId, parts: readonly Part[]): Promise<void> {
    return this.#operate({ kind: 'complete', key }, () => {
      if (this.#disk.objects.has(key)) return;
      const upload = this.#upload(key, id);
      checkAllParts(upload.shape, parts);
      const numbers = parts.map(({ number }) => number).sort((a, b) => a - b);
      const content = numbers.map((number) => {
        const part = upload.parts.get(number);
        if (part === undefined) throw missingPart(number);
        return part;
      });
      this.#put({ kind: 'complete', key }, concat(...content));
      this.#disk.uploads.delete(id);
    });
  }

  abortUpload(key: Key, id: UploadId): Promise<void> {
    return this.#operate({ kind: 'abort', key }, () => {
      if (this.#disk.uploads.delete(id)) this.#disk.writes.push({ kind: 'abort', key });
    });
  }

  abandonUploads(age: number): Promise<number> {
    return this.#operate({ kind: 'abort', key: 'uploads' }, () => {
      const old = [...this.#disk.uploads].filter(([, { touched }]) => Date.now() - touched > age);
      for (const [id] of old) this.#disk.uploads.delete(id);
      return old.length;
    });
  }

  #upload(key: Key, id: UploadId): Upload {
    const upload = this.#disk.uploads.get(id);
    if (upload?.key === key) return upload;
    throw new CodedError('not-found', `there is no upload to ${key}`);
  }

  async close(): Promise<void> {}

  #put(operation: Operation, bytes: Uint8Array): Version {
    const version = this.#disk.version();
    const made = operation.kind === 'swap' ? 'swap' : 'create';
    this.#disk.objects.set(operation.key, {
      bytes: bytes.slice(),
      modified: this.#disk.clock(),
      version,
      made,
    });
    if (made === 'swap') this.#disk.swapped.push({ key: operation.key, bytes });
    this.#disk.writes.push(operation);
    return version;
  }

  async #operate<T>(operation: Operation, effect: () => T): Promise<T> {
    if (this.#dead) return forever();
    const fault = this.#behaviour.fault?.(operation);
    if (fault === 'die-before') return this.#die();
    for (let turns = this.#behaviour.turns?.(operation) ?? 0; turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.#dead) return forever();
    if (fault === 'fail')
      throw new CodedError('storage', `${operation.kind} ${operation.key} failed`);
    if (fault === 'full') throw new CodedError('disk-full', 'no space is left');
    if (fault === 'late') this.#disk.delay(effect);
    if (fault === 'late' || fault === 'undecided') {
      throw new CodedError('unknown-outcome', `no answer to ${operation.kind} ${operation.key}`);
    }
    if (fault === 'refuse' && operation.kind === 'swap') return undefined as T;
    await this.#behaviour.pause?.(operation, 'before');
    const result = effect();
    await this.#behaviour.pause?.(operation, 'after');
    if (fault === 'twice') this.#disk.delay(effect);
    if (fault === 'deny' && operation.kind === 'swap') return undefined as T;
    if (fault === 'deny' && operation.kind === 'create') return 'exists' as T;
    if (fault === 'die-after') return this.#die();
    if (fault === 'lose') {
      throw new CodedError(
        'unknown-outcome',
        `the answer to ${operation.kind} ${operation.key} was lost`,
      );
    }
    return result;
  }

  #die(): Promise<never> {
    this.#dead = true;
    return forever();
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part.slice());
  return concat(...parts);
}
