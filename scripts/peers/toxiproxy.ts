/**
 * toxiproxy (github.com/Shopify/toxiproxy): a TCP proxy that delays, cuts and loses on command.
 * It is built once from the Go module proxy into the user's cache, and runs on loopback.
 *
 *     const toxiproxy = await startToxiproxy();
 *     const proxy = await toxiproxy.proxy(port);
 *     await proxy.poison({ type: 'latency', stream: 'downstream', attributes: { latency: 50 } });
 *     await proxy.enable(false); // nobody can connect, and who is connected is cut off
 */
import { spawn } from 'node:child_process';
import { endWithUs } from './end-with-us.ts';
import { freePort } from './free-port.ts';
import { installFromGo } from './install.ts';

const VERSION = '2.12.0';
const READY_WITHIN_MS = 10_000;

/** As its HTTP API takes it; what is left out of `attributes` is 0. */
export interface Toxic {
  readonly type: 'bandwidth' | 'latency' | 'limit_data' | 'reset_peer' | 'slicer' | 'timeout';
  /** On the way to the server, or back. */
  readonly stream: 'upstream' | 'downstream';
  /** The part of the connections that it is for, from 0 to 1. */
  readonly toxicity?: number;
  readonly attributes: Readonly<Record<string, number>>;
}

export interface ToxicProxy {
  readonly port: number;
  poison(toxic: Toxic): Promise<void>;
  /** Takes all toxics away. */
  heal(): Promise<void>;
  enable(isEnabled: boolean): Promise<void>;
  remove(): Promise<void>;
}

export interface Toxiproxy {
  /** A proxy in front of `port` of this machine. */
  proxy(port: number): Promise<ToxicProxy>;
  stop(): Promise<void>;
}

/** Builds the program once; resolves to its path. */
export function installToxiproxy(): Promise<string> {
  const program = `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`;
  return installFromGo(`toxiproxy-v${VERSION}`, program);
}

export async function startToxiproxy(): Promise<Toxiproxy> {
  const program = await installToxiproxy();
  const port = await freePort();
  const env = { ...process.env, LOG_LEVEL: 'error' };
  const flags = ['-host', '127.0.0.1', '-port', String(port)];
  const child = spawn(program, flags, { env, stdio: 'ignore' });
  endWithUs(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const call = (method: string, path: string, json?: unknown) => callAt(port, method, path, json);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await untilReady(port);
  } catch (error) {
    await stop();
    throw error;
  }
  let proxies = 0;
  return {
    stop,
    async proxy(upstream) {
      const name = `proxy-${++proxies}`;
      const addresses = { listen: '127.0.0.1:0', upstream: `127.0.0.1:${upstream}` };
      const made = await call('POST', '/proxies', { name, ...addresses, enabled: true });
      // Told anew, or it would listen at another port when it is enabled again.
      const listen = String(made.listen);
      const at = `/proxies/${name}`;
      return {
        port: Number(listen.split(':').at(-1)),
        poison: async (toxic) => void (await call('POST', `${at}/toxics`, toxic)),
        async heal() {
          const toxics = (await call('GET', at)).toxics as readonly { readonly name: string }[];
          for (const toxic of toxics) await call('DELETE', `${at}/toxics/${toxic.name}`);
        },
        enable: async (enabled) => void (await call('POST', at, { listen, enabled })),
        remove: async () => void (await call('DELETE', at)),
      };
    },
  };
}

async function callAt(port: number, method: string, path: string, json?: unknown) {
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`toxiproxy, ${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
}

async function untilReady(port: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await callAt(port, 'GET', '/proxies');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
