/** Where a server listens, as it is typed: `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. */
import { CodedError } from '../core/error.ts';
import type { Address } from '../server/listen.ts';

/** Parses `HOST:PORT`. Port 0 is any that is free. Throws `usage`. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new CodedError(
    'usage',
    `--listen takes HOST:PORT, like 127.0.0.1:8080 or [::1]:8080, not "${text.slice(0, 80)}"`,
  );
}
