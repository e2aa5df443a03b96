/**
 * The parts of one upload on their way into the store itself. Signed requests are asked for in
 * batches, for the parts whose turn comes next, and asked for anew before they end; what the
 * store has taken is told to the registry, as many parts at once as came meanwhile.
 */
import type { Api, NamedPart } from '../client/api.ts';
import { placeOf, storeRefusal } from '../client/store-refusal.ts';
import { type Digest, formatDigest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { ReleaseName } from '../core/release/name.ts';
import type { PartSender } from './part-upload.ts';

/** Parts in one batch; the registry signs 100 at most. */
export const BATCH = 32;
/** Parts that the registry is told of at once. */
const MAX_TOLD = 100;
/** The share of its time that a signed request is used for: what is sent later asks anew. */
const USED_SHARE = 0.75;

/** A part that is to be sent. */
export interface LocalPart {
  /** From 1. */
  readonly number: number;
  /** Where in the file; in bytes. */
  readonly offset: number;
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** Which upload, by whom, and of which file. */
export interface DirectUploadOptions {
  readonly api: Api;
  readonly sender: PartSender;
  readonly release: ReleaseName;
  readonly upload: string;
  readonly location: string;
  readonly session: string | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds; by default `performance.now`. */
  readonly clock?: () => number;
}

interface Header {
  readonly name: string;
  readonly value: string;
}

interface Signed {
  readonly request: Promise<{ readonly url: string; readonly headers: readonly Header[] }>;
  /** By our own clock. */
  until: number;
}

export class DirectUpload {
  readonly #options: DirectUploadOptions;
  readonly #clock: () => number;
  /** In the order in which they are sent. */
  readonly #parts: readonly LocalPart[];
  readonly #places: ReadonlyMap<number, number>;
  readonly #signed = new Map<number, Signed>();
  readonly #sent = new Set<number>();
  /** What the store has taken and the registry has not been told yet. */
  readonly #taken: TakenPart[] = [];
  /** The telling that is under way, and the one after it. */
  #telling: Promise<void> = Promise.resolve();
  #nextTelling: Promise<void> | undefined;

  /** `parts` are all that will be sent. */
  constructor(options: DirectUploadOptions, parts: readonly LocalPart[]) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#parts = parts;
    this.#places = new Map(parts.map(({ number }, place) => [number, place]));
  }

  /** Sends the part once, and has the registry told. Throws what the store refuses with, `network`, `not-found` when the upload is no more. */
  async send(part: LocalPart): Promise<void> {
    const { sender, location, signal } = this.#options;
    const { number, offset, length } = part;
    const { url, headers } = await this.#requestFor(part).catch(givenUp);
    let tag: string | undefined;
    try {
      const answer = await sender.send({
        url,
        place: placeOf(url),
        headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        location,
        offset,
        length,
        signal,
        refusal: (refusal, body) => storeRefusal(url, refusal, body),
      });
      tag = answer.etag;
    } catch (error) {
      if (isCoded(error) && error.details.isStale === true) this.#signed.delete(number);
      throw error;
    }
    if (tag === undefined) throw noTag(url);
    this.#sent.add(number);
    this.#signed.delete(number);
    this.#taken.push({ number, sha256: digestOf(part), tag });
    this.#tellNext();
  }

  /** Resolves once the registry knows of all that was sent. Throws when it could not be told. */
  async finish(): Promise<void> {
    while (this.#nextTelling !== undefined) await this.#nextTelling;
    await this.#telling;
  }

  /** A request that is good for a while yet. */
  #requestFor(part: LocalPart): Signed['request'] {
    const there = this.#signed.get(part.number);
    if (there !== undefined && this.#clock() < there.until) return there.request;
    this.#sign(
      this.#parts.slice(this.#places.get(part.number)).filter((next) => this.#needs(next)),
    );
    return this.#signed.get(part.number)!.request;
  }

  #needs({ number }: LocalPart): boolean {
    if (this.#sent.has(number)) return false;
    const there = this.#signed.get(number);
    return there === undefined || this.#clock() >= there.until;
  }

  #sign(wanted: readonly LocalPart[]): void {
    const { api, release, upload, session, signal } = this.#options;
    const batch = wanted.slice(0, BATCH);
    const named = batch.map((part) => ({ number: part.number, sha256: digestOf(part) }));
    const asked = api.signParts(release, upload, named, { session, signal });
    for (const [place, { number }] of batch.entries()) {
      const request = asked.then(({ requests }) => requests[place] ?? fewer());
      const signed: Signed = { request, until: Number.POSITIVE_INFINITY };
      this.#signed.set(number, signed);
      request.then(
        async () => {
          signed.until = this.#clock() + (await asked).seconds * 1000 * USED_SHARE;
        },
        () => {
          if (this.#signed.get(number) === signed) this.#signed.delete(number);
        },
      );
    }
  }

  /** One telling at a time: what comes meanwhile is told together. A failure ends them all. */
  async #tell(): Promise<void> {
    const { api, release, upload, session, signal } = this.#options;
    const parts = this.#taken.splice(0, MAX_TOLD);
    this.#nextTelling = undefined;
    this.#telling = api.noteParts(release, upload, parts, { session, signal }).then(() => {});
    this.#telling.catch(() => {});
    if (this.#taken.length > 0) this.#tellNext();
    await this.#telling;
  }

  #tellNext(): void {
    this.#nextTelling ??= this.#telling.then(() => this.#tell());
    this.#nextTelling.catch(() => {}); // `finish` throws it
  }
}

type TakenPart = NamedPart & { readonly tag: string };

function digestOf({ sha256 }: LocalPart): Digest {
  return formatDigest(sha256);
}

/** The registry was asked often enough: whoever repeats the part need not begin that again. */
function givenUp(error: unknown): never {
  if (!isCoded(error)) throw error;
  throw new CodedError(error.code, error.message, { ...error.details, transient: false });
}

function fewer(): never {
  throw new CodedError('bad-document', 'the registry signed fewer parts than it was asked for');
}

function noTag(url: string): CodedError {
  const message = `the registry’s store at ${placeOf(url)} took a part and gave no ETag for it`;
  return new CodedError('network', message, { url: placeOf(url), transient: false });
}
