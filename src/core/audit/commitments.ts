/**
 * The commitments and voids of a log, for an audit that meets a million of them: which label
 * was committed where. A label says nothing until some release is found to be about it, so all
 * are kept until then; 81 bytes each in flat memory, and 8 more for finding them, where a map of
 * objects would take some 400.
 *
 * Labels are chosen by whoever commits. So the table hashes them with a seed that nobody knew
 * when they were logged (the root of the log that is audited), or a member of any namespace
 * could make every label fall into one place of it.
 *
 * Packed, as the state of an audit carries them, each is 80 bytes:
 *
 *     label 32 | commit 32 | index, 8 bytes | time in milliseconds since 1970, 8 bytes
 *
 * both numbers as IEEE 754 doubles, big-endian.
 */
import { formatHex, parseHex } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { LoggedCommitment } from '../release/opened-decision.ts';

/** Bytes of a packed commitment. */
export const PACKED_COMMITMENT = 80;

const INDEX_AT = 64;
const TIME_AT = 72;
/** In memory one more byte: 1 once a release has accounted for it. */
const RECORD_BYTES = PACKED_COMMITMENT + 1;
/** Records that are allocated at a time: what grows is never copied. */
const SEGMENT_RECORDS = 1 << 13;
const FIRST_SLOTS_LOG = 10;

/** The owners' word that a commitment no longer counts for releases of their namespace. */
export interface LoggedVoid {
  readonly namespace: string;
  /** Hex. */
  readonly label: string;
  readonly index: number;
}

/** What was committed up to some point of the log. */
export interface CommitmentState {
  /** Those that no release has accounted for, packed, in the order of the log. */
  readonly packed: Uint8Array;
  /** Voids of these. */
  readonly voids: readonly LoggedVoid[];
}

export const NO_COMMITMENTS: CommitmentState = { packed: new Uint8Array(0), voids: [] };

export class Commitments {
  readonly #segments: Uint8Array[] = [];
  readonly #voids = new Map<string, LoggedVoid>();
  readonly #seed: Uint32Array;
  /** Number of a record plus one; 0 where there is none. A power of two, at most half full. */
  #slots = new Uint32Array(1 << FIRST_SLOTS_LOG);
  #shift = 32 - FIRST_SLOTS_LOG;
  #size = 0;
  /** Of these, how many no release has accounted for. */
  #open = 0;

  /** Goes on from `state`. `seed` is 32 bytes. */
  constructor({ packed, voids }: CommitmentState, seed: Uint8Array) {
    const words = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
    this.#seed = Uint32Array.from({ length: 8 }, (_, i) => words.getUint32(i * 4) | 1);
    if (packed.length % PACKED_COMMITMENT !== 0) {
      throw new CodedError('bad-document', 'packed commitments have 80 bytes each');
    }
    for (let at = 0; at < packed.length; at += PACKED_COMMITMENT) {
      this.#insert(packed.subarray(at, at + PACKED_COMMITMENT));
    }
    for (const each of voids) this.#voids.set(voidKey(each.namespace, each.label), each);
  }

  get state(): CommitmentState {
    const packed = new Uint8Array(this.#open * PACKED_COMMITMENT);
    let at = 0;
    for (let record = 0; record < this.#size; record++) {
      const bytes = this.#record(record);
      if (bytes[PACKED_COMMITMENT] === 1) continue;
      packed.set(bytes.subarray(0, PACKED_COMMITMENT), at);
      at += PACKED_COMMITMENT;
    }
    const voids = [...this.#voids.values()].filter(({ label }) => !this.#isClosed(label));
    return { packed, voids };
  }

  /** False for a label that was committed before: that one counts, and it is kept. */
  add({ label, commit, index, time }: LoggedCommitment): boolean {
    const bytes = new Uint8Array(PACKED_COMMITMENT);
    bytes.set(parseHex(label, 32));
    bytes.set(parseHex(commit, 32), 32);
    const numbers = new DataView(bytes.buffer);
    numbers.setFloat64(INDEX_AT, index);
    numbers.setFloat64(TIME_AT, Date.parse(time));
    return this.#insert(bytes);
  }

  /** The commitment with that label, if it was logged before the entry `before`. */
  find(label: string, before: number): LoggedCommitment | undefined {
    const record = this.#find(parseHex(label, 32));
    if (record === undefined) return undefined;
    const bytes = this.#record(record);
    const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const index = numbers.getFloat64(INDEX_AT);
    if (index >= before) return undefined;
    const time = new Date(numbers.getFloat64(TIME_AT)).toISOString();
    return { label, commit: formatHex(bytes.subarray(32, INDEX_AT)), index, time };
  }

  /**
   * Notes the void of a commitment that was logged before it. Of one that was not, it says
   * nothing: nobody silences in advance what others may still commit.
   */
  addVoid(said: LoggedVoid): void {
    const key = voidKey(said.namespace, said.label);
    if (this.#voids.has(key) || this.#find(parseHex(said.label, 32)) === undefined) return;
    this.#voids.set(key, said);
  }

  /** Did the owners of that namespace say so before the entry `before`? */
  isVoid(namespace: string, label: string, before: number): boolean {
    const said = this.#voids.get(voidKey(namespace, label));
    return said !== undefined && said.index < before;
  }

  /** A release has accounted for it: later audits need not carry it. */
  close(label: string): void {
    const record = this.#find(parseHex(label, 32));
    if (record === undefined) return;
    const bytes = this.#record(record);
    if (bytes[PACKED_COMMITMENT] === 0) this.#open--;
    bytes[PACKED_COMMITMENT] = 1;
  }

  #isClosed(label: string): boolean {
    const record = this.#find(parseHex(label, 32));
    return record === undefined || this.#record(record)[PACKED_COMMITMENT] === 1;
  }

  #insert(packed: Uint8Array): boolean {
    if (this.#find(packed.subarray(0, 32)) !== undefined) return false;
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    if (this.#size % SEGMENT_RECORDS === 0) {
      this.#segments.push(new Uint8Array(SEGMENT_RECORDS * RECORD_BYTES));
    }
    const record = this.#size++;
    this.#open++;
    this.#record(record).set(packed);
    this.#place(record);
    return true;
  }

  #find(label: Uint8Array): number | undefined {
    const { length } = this.#slots;
    for (let slot = this.#hash(label); ; slot = (slot + 1) % length) {
      const record = this.#slots[slot]! - 1;
      if (record < 0) return undefined;
      if (beginsWith(this.#record(record), label)) return record;
    }
  }

  #place(record: number): void {
    const { length } = this.#slots;
    let slot = this.#hash(this.#record(record));
    while (this.#slots[slot] !== 0) slot = (slot + 1) % length;
    this.#slots[slot] = record + 1;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    this.#shift--;
    for (let record = 0; record < this.#size; record++) this.#place(record);
  }

  /** Multilinear in the label's eight words; the high bits are the even ones. */
  #hash(label: Uint8Array): number {
    let sum = 0;
    for (let i = 0; i < 8; i++) {
      const at = i * 4;
      const word =
        (label[at]! << 24) | (label[at + 1]! << 16) | (label[at + 2]! << 8) | label[at + 3]!;
      sum = (sum + Math.imul(word, this.#seed[i]!)) | 0;
    }
    return sum >>> this.#shift;
  }

  #record(record: number): Uint8Array {
    const at = (record % SEGMENT_RECORDS) * RECORD_BYTES;
    return this.#segments[Math.floor(record / SEGMENT_RECORDS)]!.subarray(at, at + RECORD_BYTES);
  }
}

function beginsWith(bytes: Uint8Array, label: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (bytes[i] !== label[i]) return false;
  return true;
}

function voidKey(namespace: string, label: string): string {
  return `${namespace} ${label}`;
}
