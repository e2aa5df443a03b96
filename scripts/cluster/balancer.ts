/** The load balancer of the cluster: Caddy, with the file that is shipped. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installCaddy } from '../peers/caddy.ts';
import { balancerEnvironment } from './compose.ts';
import { answers, ClusterProcess } from './process.ts';

const CONFIG = fileURLToPath(new URL('../../deploy/Caddyfile', import.meta.url));
const READY_WITHIN_MS = 20_000;

export interface BalancerPlaces {
  readonly url: string;
  /** HOST:PORT of its administration. */
  readonly admin: string;
  readonly certificate: string;
  readonly key: string;
  /** HOST:PORT of each server. */
  readonly servers: readonly string[];
  readonly directory: string;
}

/** Starts it; resolves when it answers. */
export async function startBalancer(places: BalancerPlaces): Promise<ClusterProcess> {
  const program = await installCaddy();
  const command = [program, 'run', '--config', CONFIG, '--adapter', 'caddyfile'];
  const env = {
    PATH: process.env.PATH,
    HOME: places.directory,
    CADDY_ADMIN: places.admin,
    ...balancerEnvironment(places),
  };
  const log = join(places.directory, 'logs', 'balancer.txt');
  const balancer = new ClusterProcess('the load balancer', log, command, env);
  const isReady = () => answers(`${places.url}/readyz`, places.certificate);
  await balancer.start(isReady, READY_WITHIN_MS);
  return balancer;
}
