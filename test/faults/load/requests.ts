/** The kinds of requests that clients send, by what the server does for them, and how long each takes. */

/** How they are known: the first that fits. Parts are uploaded after `declare`. */
const REQUESTS = {
  open: /^PUT .*\/drafts\/[^/]+\/[^/]+\/[^/]+$/,
  declare: /^POST .*\/files$/,
  complete: /^POST .*\/complete$/,
  seal: /^POST .*\/seal$/,
  gated: /^POST .*\/drafts\/lab\/.*\/publish$/,
  publish: /^POST .*\/publish$/,
  commit: /^POST .*\/commitments$/,
  decide: /^POST .*\/decisions$/,
  advise: /^POST .*\/advisories$/,
} as const;

export type Kind = keyof typeof REQUESTS;
export const KINDS = Object.keys(REQUESTS) as readonly Kind[];

/** The kind of a request, given as `METHOD URL`; undefined for one that writes nothing. */
export function kindOf(request: string): Kind | undefined {
  return KINDS.find((kind) => REQUESTS[kind].test(request));
}

/** Milliseconds that a request is thought to take before one was measured. What is logged waits for its batch. */
const FIRST_GUESS: Readonly<Record<Kind | 'start', number>> = {
  start: 400,
  open: 20,
  declare: 20,
  complete: 20,
  seal: 60,
  gated: 300,
  publish: 300,
  commit: 300,
  decide: 20,
  advise: 300,
};

/** How long each kind took, on average so far: milliseconds. */
export class Durations {
  readonly #known = new Map<Kind | 'start', number>();

  of(kind: Kind | 'start'): number {
    return this.#known.get(kind) ?? FIRST_GUESS[kind];
  }

  add(kind: Kind | 'start', milliseconds: number): void {
    const known = this.#known.get(kind) ?? milliseconds;
    this.#known.set(kind, (3 * known + milliseconds) / 4);
  }
}
