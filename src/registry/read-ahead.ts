/**
 * Reading ahead: a large file is read back as soon as all of its parts have come, while other
 * files are still on their way, so that the seal finds most of its work done.
 *
 * It notes only what is good (`read-back.ts`). What it finds wrong it leaves for the seal to
 * find again and to say: here nobody is asking. So it may be left out at any time, and is,
 * when there is too much of it.
 */
import { parseFilePath } from '../core/release/path.ts';
import { inspectFile } from '../core/weights/inspect.ts';
import { readerOfBlob } from './content.ts';
import type { StoredFile } from './documents/file.ts';
import type { RegistryParts } from './parts.ts';
import type { ReadBack, Reading } from './read-back.ts';

/** Files that are read ahead at the same time; further ones are left to the seal. */
const MAX_RUNNING = 16;
/** Bytes below which a file is not worth the extra look into it. */
const MIN_BYTES = 8 * 1024 * 1024;

/** A file being read. */
interface Run {
  done: Promise<void>;
  /** Bytes read so far, and who wants to know. */
  bytes: number;
  onBytes: Reading['onBytes'];
}

export class ReadAhead {
  readonly #store: RegistryParts['store'];
  readonly #readBack: ReadBack;
  /** By the name of the blob. */
  readonly #runs = new Map<string, Run>();
  readonly #abort = new AbortController();

  constructor({ store }: Pick<RegistryParts, 'store'>, readBack: ReadBack) {
    this.#store = store;
    this.#readBack = readBack;
  }

  /** Begins to read the file for the draft's open revision; nobody need wait for it. */
  begin({ release, revision }: Pick<Reading, 'release' | 'revision'>, file: StoredFile): void {
    const { blob } = file.content;
    if (file.size < MIN_BYTES || this.#runs.size >= MAX_RUNNING || this.#runs.has(blob)) return;
    if (this.#abort.signal.aborted) return;
    const run: Run = { done: Promise.resolve(), bytes: 0, onBytes: () => {} };
    const onBytes = (more: number) => {
      run.bytes += more;
      run.onBytes(more);
    };
    const reading = { release, revision, signal: this.#abort.signal, onBytes };
    this.#runs.set(blob, run);
    run.done = this.#read(reading, file)
      .catch(() => {})
      .then(() => void this.#runs.delete(blob));
  }

  /**
   * Waits until the blob is not being read ahead any more, and tells `onBytes` how that goes.
   * What it was told is taken back at the end: whoever asks then knows what came of it.
   * Resolves to false when the blob was not being read at all.
   */
  async join(blob: string, onBytes: Reading['onBytes']): Promise<boolean> {
    const run = this.#runs.get(blob);
    if (run === undefined) return false;
    onBytes(run.bytes);
    run.onBytes = onBytes;
    await run.done;
    onBytes(-run.bytes);
    return true;
  }

  /** Ends all of it. */
  async close(): Promise<void> {
    this.#abort.abort();
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
  }

  async #read(reading: Reading, file: StoredFile): Promise<void> {
    const reader = readerOfBlob(this.#store, file.content.blob, file.size);
    const { tensors = [] } = await inspectFile(parseFilePath(file.path), reader);
    await this.#readBack.readIfGood(reading, file, tensors);
  }
}
