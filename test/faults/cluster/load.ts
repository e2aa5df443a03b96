/** Clients at work on a cluster, from `start` to `stop`, whatever fails meanwhile. */
import { workOn } from '../load/client.ts';
import type { Cluster } from './cluster.ts';
import type { World } from './world.ts';

export class Load {
  readonly #cluster: Cluster;
  readonly #stop = new AbortController();
  readonly #working: Promise<number>;
  /** Resolves when the clients gave up, which `stop` then throws. */
  readonly ended: Promise<void>;

  private constructor(world: World, cluster: Cluster) {
    this.#cluster = cluster;
    this.#working = workOn(world.client(cluster.url, this.#stop.signal));
    this.ended = this.#working.then(
      () => {},
      () => {},
    );
  }

  static start(world: World, cluster: Cluster): Load {
    return new Load(world, cluster);
  }

  /** Resolves to how many commands were given again, once nothing is under way any more. */
  async stop(): Promise<number> {
    this.#stop.abort();
    try {
      return await this.#working;
    } finally {
      await this.#cluster.settled();
    }
  }
}
