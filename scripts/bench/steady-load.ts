/**
 * Asks at a steady rate, whether or not the answers before have come: a server that stumbles
 * then has what waits counted against it (an open workload).
 */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds from the moment at which each request was due until its answer was whole. */
export async function steadyLoad(
  urls: readonly string[],
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const begun = performance.now();
  const asking = Array.from({ length: perSecond * seconds }, async (_, i) => {
    const due = begun + (i * 1_000) / perSecond;
    await sleep(Math.max(0, due - performance.now()));
    await ask(urls[i % urls.length]!, agent);
    return performance.now() - due;
  });
  const waits = await Promise.all(asking);
  agent.destroy();
  return waits;
}

function ask(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answers ${response.statusCode}`));
      response.on('error', reject).on('end', resolve).resume();
    });
    request.on('error', reject);
  });
}
