/**
 * What servers tell one another of the seals that they run (`documents/sealing.ts`).
 *
 * A server whose note does not change for a while counts as gone: no clock is compared with
 * another, each server only watches for itself. If it was merely slow, two servers read the same
 * bytes, and the draft's compare-and-swap decides who seals. A seal of seconds writes nothing.
 */

import { BoundedMap } from '../core/bounded-map.ts';
import { formatHex } from '../core/bytes.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { formatCanonical } from '../core/json.ts';
import { claimsOf } from '../core/release/claims.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Version } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { type Held, load } from './documents/form.ts';
import { type Sealing, sealingForm } from './documents/sealing.ts';
import type { RegistryParts } from './parts.ts';
import type { DraftStatus, SealRequest } from './registry.ts';
import { Telling } from './seal-telling.ts';

/** Milliseconds without a new note after which its server counts as gone. */
export const SILENT_MS = 15_000;
/** Notes of others that are watched. */
const WATCHED = 1_000;

/** What a seal under way has to tell. */
export interface Told {
  readonly request: SealRequest;
  readonly progress: { readonly bytes: number; readonly total: number };
}

export class SealProgress {
  readonly #parts: RegistryParts;
  readonly #server: string;
  readonly #seen = new BoundedMap<string, { version: Version; since: number }>(WATCHED);
  readonly #now: () => number;

  /** `now` is in milliseconds and runs evenly. */
  constructor(parts: RegistryParts, now: () => number = () => performance.now()) {
    this.#parts = parts;
    this.#server = formatHex(parts.random().subarray(0, 16));
    this.#now = now;
  }

  /** What another server says of the seal of this draft; a server that fell silent says nothing. */
  async elsewhere(
    release: ReleaseName,
  ): Promise<
    { readonly seal: NonNullable<DraftStatus['seal']>; readonly request: Digest } | undefined
  > {
    const held = await this.#load(release);
    if (held === undefined) return undefined;
    const { value } = held;
    const { request } = value;
    if (value.state === 'failed') {
      const { code, message } = value;
      return { seal: { running: false, error: { code, message } }, request };
    }
    if (value.server === this.#server || this.#isSilent(release, held)) return undefined;
    return { seal: { running: true, bytes: value.bytes, total: value.total }, request };
  }

  /** Is this what is asked for there? */
  isSame(request: Digest, asked: SealRequest): boolean {
    return request === this.#digestOf(asked);
  }

  /**
   * Tells of a seal from now on, until `stop` is called. `lost` is called when another server
   * has taken it over. Replaces at once what was said of an earlier one.
   */
  async tell(release: ReleaseName, told: Told, lost: () => void): Promise<Telling> {
    const held = await this.#load(release);
    const telling = new Telling(this.#parts.store, keys.sealing(release), {
      server: this.#server,
      request: this.#digestOf(told.request),
      progress: told.progress,
      lost,
      held,
    });
    if (held !== undefined) await telling.note();
    return telling;
  }

  #isSilent(release: ReleaseName, { version }: Held<Sealing>): boolean {
    const name = formatReleaseName(release);
    const seen = this.#seen.get(name);
    if (seen?.version === version) return this.#now() - seen.since > SILENT_MS;
    this.#seen.set(name, { version, since: this.#now() });
    return false;
  }

  #load(release: ReleaseName): Promise<Held<Sealing> | undefined> {
    return load(this.#parts.store, keys.sealing(release), sealingForm);
  }

  #digestOf(request: SealRequest): Digest {
    const { nonce, paths } = request;
    const asked = { nonce, paths: paths.toSorted(), ...claimsOf(request) };
    return digestOf(this.#parts.host, formatCanonical(asked));
  }
}
