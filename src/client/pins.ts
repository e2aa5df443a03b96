/**
 * What a person has decided to trust, and what was last seen of it. A registry is known by
 * its origin: mirrors of it, whatever their address, share one pin, one chain of roots and
 * one newest checkpoint, so that none of them can show an older log than another did.
 *
 * Kept in memory here; on disk by `transfer/pins-disk.ts`, in a browser by whoever builds it.
 */
import type { Digest } from '../core/digest.ts';
import type { Origin } from '../core/log/checkpoint.ts';

/** A registry that is trusted. */
export interface Pin {
  readonly origin: Origin;
  /** SHA-256 of version 1 of its root.json. */
  readonly fingerprint: Digest;
  /** Addresses that were named when it was pinned: they must be this registry. */
  readonly urls: readonly string[];
}

/** The newest that was believed of a registry's log. */
export interface Seen {
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: Uint8Array;
  /** The newest heads entry, once there was one. */
  readonly heads?: { readonly index: number; readonly time: string };
}

export interface PinStore {
  pins(): Promise<readonly Pin[]>;
  pin(origin: Origin): Promise<Pin | undefined>;
  savePin(pin: Pin): Promise<void>;
  /** The exact bytes of every version of root.json that was believed, from version 1 on. */
  roots(origin: Origin): Promise<readonly Uint8Array[]>;
  /** Versions are saved in order, each once, before anything rests on them. */
  saveRoot(origin: Origin, version: number, bytes: Uint8Array): Promise<void>;
  seen(origin: Origin): Promise<Seen | undefined>;
  saveSeen(origin: Origin, seen: Seen): Promise<void>;
}

/** Pins for the life of a process: for tests, and for one look at a registry. */
export class MemoryPins implements PinStore {
  readonly #pins = new Map<Origin, Pin>();
  readonly #roots = new Map<Origin, Uint8Array[]>();
  readonly #seen = new Map<Origin, Seen>();

  async pins(): Promise<readonly Pin[]> {
    return [...this.#pins.values()];
  }

  async pin(origin: Origin): Promise<Pin | undefined> {
    return this.#pins.get(origin);
  }

  async savePin(pin: Pin): Promise<void> {
    this.#pins.set(pin.origin, pin);
  }

  async roots(origin: Origin): Promise<readonly Uint8Array[]> {
    return [...(this.#roots.get(origin) ?? [])];
  }

  async saveRoot(origin: Origin, version: number, bytes: Uint8Array): Promise<void> {
    const roots = this.#roots.get(origin) ?? [];
    roots[version - 1] = bytes;
    this.#roots.set(origin, roots);
  }

  async seen(origin: Origin): Promise<Seen | undefined> {
    return this.#seen.get(origin);
  }

  async saveSeen(origin: Origin, seen: Seen): Promise<void> {
    this.#seen.set(origin, seen);
  }
}
