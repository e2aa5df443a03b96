/**
 * The network between writers and their bucket, for one schedule: faults of requests (ours), of
 * connections (toxiproxy's), or of both, drawn from its seed.
 */
import type { Toxic, Toxiproxy } from '../../../scripts/peers/toxiproxy.ts';
import type { Draw } from '../load/draw.ts';
import { FaultProxy } from './fault-proxy.ts';
import { drawSchedule } from './schedule.ts';

/** The patience of the S3 client is 30 s; a stall is as long, and a little longer. */
const STALL_MS = 31_000;
/** One of so many schedules has a stall. */
const STALLS = 12;
/** The part of the requests that meet a fault, and the part of these that begin a storm. */
const WEATHER = { faults: 0.15, storms: 0.15, stallMs: STALL_MS } as const;

export class Network {
  readonly endpoint: string;
  readonly #proxy: FaultProxy | undefined;
  readonly #toxics: readonly Toxic[];
  readonly #heal: () => Promise<void>;
  readonly #close: () => Promise<void>;

  private constructor(parts: {
    endpoint: string;
    proxy: FaultProxy | undefined;
    toxics: readonly Toxic[];
    heal: () => Promise<void>;
    close: () => Promise<void>;
  }) {
    this.endpoint = parts.endpoint;
    this.#proxy = parts.proxy;
    this.#toxics = parts.toxics;
    this.#heal = parts.heal;
    this.#close = parts.close;
  }

  /** Faults of requests, of connections, or of both. */
  static async open(
    port: number,
    toxiproxy: Toxiproxy,
    seed: number,
    draw: Draw,
  ): Promise<Network> {
    const layers = draw.pick(['requests', 'requests', 'connections', 'both'] as const);
    const toxic = layers === 'requests' ? undefined : await toxiproxy.proxy(port);
    const toxics = toxic === undefined ? [] : drawToxics(draw);
    for (const each of toxics) await toxic!.poison(each);
    const isStalled = draw.fraction() < 1 / STALLS;
    const weather = { ...WEATHER, stalls: isStalled ? 1 : 0 };
    const upstream = toxic?.port ?? port;
    const proxy =
      layers === 'connections'
        ? undefined
        : await FaultProxy.start(upstream, drawSchedule(seed, weather));
    return new Network({
      endpoint: proxy?.endpoint ?? `http://127.0.0.1:${upstream}`,
      proxy,
      toxics,
      heal: async () => {
        proxy?.heal();
        await toxic?.heal();
      },
      close: async () => {
        await proxy?.close();
        await toxic?.remove();
      },
    });
  }

  /** How often each fault was made; of toxics, that they were there. */
  get made(): ReadonlyMap<string, number> {
    const toxics = this.#toxics.map(({ type, stream }) => [`${type} ${stream}`, 1] as const);
    return new Map([...(this.#proxy?.made ?? []), ...toxics]);
  }

  /** From now on nothing fails. */
  heal(): Promise<void> {
    return this.#heal();
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** One or two things that go wrong with a part of the connections. */
function drawToxics(draw: Draw): Toxic[] {
  const bytes = Math.ceil(draw.fraction() * 4_000);
  const kinds: readonly Toxic[] = [
    { type: 'latency', stream: 'downstream', attributes: { latency: 40, jitter: 40 } },
    {
      type: 'slicer',
      stream: 'downstream',
      attributes: { average_size: 64, size_variation: 32, delay: 200 },
    },
    { type: 'limit_data', stream: 'downstream', toxicity: 0.4, attributes: { bytes } },
    { type: 'limit_data', stream: 'upstream', toxicity: 0.4, attributes: { bytes } },
    { type: 'reset_peer', stream: 'downstream', toxicity: 0.3, attributes: { timeout: 50 } },
    { type: 'reset_peer', stream: 'upstream', toxicity: 0.3, attributes: { timeout: 50 } },
    { type: 'bandwidth', stream: 'upstream', attributes: { rate: 40 } },
  ];
  const [first, second] = [draw.pick(kinds), draw.pick(kinds)];
  return first.type === second.type ? [first] : [first, second];
}
