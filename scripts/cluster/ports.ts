/** Ports for servers that keep theirs when they are restarted. */
import { createServer } from 'node:net';

/** Below those that the kernel gives to clients, one of which could take a port between two runs. */
const LOWEST = 22_100;
const HIGHEST = 32_000;

/** So many ports of the loopback that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  const first = LOWEST + ((process.pid * 37) % (HIGHEST - LOWEST));
  for (let port = first; found.length < count; port++) {
    if (port >= HIGHEST + first - LOWEST) throw new Error('no free ports are left');
    const wrapped = port < HIGHEST ? port : port - (HIGHEST - LOWEST);
    if (await isFree(wrapped)) found.push(wrapped);
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
