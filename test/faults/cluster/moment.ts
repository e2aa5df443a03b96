/** So many milliseconds after a server was sent the n-th request of a kind, within the time that it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Draw } from '../load/draw.ts';
import { type Durations, KINDS } from '../load/requests.ts';
import type { Sent } from '../proxy/balancer.ts';
import type { Cluster, Node } from './cluster.ts';
import type { Load } from './load.ts';

/** Most kinds are sent often. */
const MAX_NTH = 2;
/** In that time clients send nearly every kind of request; of the others any moment is as good. */
const MAX_WAIT_MS = 3_000;

export class Moment {
  readonly #reached: Promise<void>;
  readonly #what: string;

  constructor(draw: Draw, durations: Durations, cluster: Cluster, node: Node) {
    const kind = draw.pick(KINDS);
    const nth = 1 + Math.floor(draw.fraction() * MAX_NTH);
    // A little more than it takes, so that the moment after the answer is reached too.
    const delay = 1.2 * draw.fraction() * durations.of(kind);
    this.#what = `${delay.toFixed(1)} ms after ${kind} no. ${nth}`;
    let seen = 0;
    this.#reached = new Promise((resolve) => {
      cluster.balancer.onSent = (sent: Sent) => {
        if (node.has(sent) && sent.kind === kind && ++seen === nth) setTimeout(resolve, delay);
      };
    });
  }

  /** Resolves at the moment; or when it does not come, because clients gave up or never get there. */
  async reached(load: Load): Promise<void> {
    await Promise.race([this.#reached, load.ended, pause(MAX_WAIT_MS)]);
  }

  toString(): string {
    return this.#what;
  }
}
