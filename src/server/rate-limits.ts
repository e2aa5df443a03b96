/**
 * How often one caller may ask in a minute: a token's by its id, everybody else by address
 * (of IPv6 the first 56 bits, which one customer has). What is high by nature is not counted:
 * parts, files, tiles and checkpoints cost little each, and `loads.ts` bounds how many run.
 *
 * The limits are far above what a push of thousands of files or an audit does; they stop a
 * loop that has gone wild, and a thief's. Each server counts for itself.
 */
import type { Request, RequestHandler, Response } from 'express';
import { type Store as HitStore, ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { BoundedMap } from '../core/bounded-map.ts';
import { CodedError } from '../core/error.ts';

/** What is counted by itself. */
export type Rate = 'read' | 'search' | 'write' | 'log' | 'exchange' | 'device';

/** Requests of one caller in a window; 0 for no limit. */
export const RATES: Readonly<Record<Rate, number>> = {
  /** Documents, status, heads. */
  read: 120_000,
  /** Lists, and search in them. */
  search: 6_000,
  /** Declarations and all else that changes a draft. */
  write: 120_000,
  /** What becomes a leaf of the log, for ever. */
  log: 6_000,
  /** Token exchange, by address. */
  exchange: 600,
  /** Machines that ask to be let in, by address; codes that one person tries, by their session. */
  device: 10,
};
export type Rates = Readonly<Record<Rate, number>>;

export const WINDOW_MS = 60_000;
/** Callers whose requests are counted, of each class; of more the oldest are forgotten. */
export const MAX_CALLERS = 20_000;

/** Not on what caches may keep: they would tell everybody of one caller's minute. */
const HEADERS = ['RateLimit', 'RateLimit-Policy'];

export interface RateLimits {
  /** Counts a request of `caller`, and tells it how many are left. Throws `rate-limited`. */
  take(rate: Rate, caller: string, request: Request, response: Response): Promise<void>;
  /** Counts everything behind it, by address. */
  middleware(rate: Rate): RequestHandler;
}

/** The key of whoever sent no token: Express knows the address, and which proxies may say it. */
export function addressOf({ ip }: Request): string {
  return ip === undefined ? 'nowhere' : ipKeyGenerator(ip);
}

export function rateLimits(
  changes: Partial<Rates> = {},
  clock: () => number = Date.now,
): RateLimits {
  const rates = Object.entries({ ...RATES, ...changes }).filter(([, limit]) => limit > 0);
  const limiters = new Map(
    rates.map(([rate, limit]) => [rate, limiter(rate as Rate, limit, clock)] as const),
  );
  const take: RateLimits['take'] = async (rate, caller, request, response) => {
    await limiters.get(rate)?.(caller, request, response);
    if (rate === 'read') for (const header of HEADERS) response.removeHeader(header);
  };
  return {
    take,
    middleware: (rate) => async (request, response, next) => {
      await take(rate, addressOf(request), request, response);
      next();
    },
  };
}

function limiter(rate: Rate, limit: number, clock: () => number) {
  const callers = new WeakMap<Request, string>();
  const limited = rateLimit({
    windowMs: WINDOW_MS,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: rate,
    keyGenerator: (request) => callers.get(request)!,
    store: hits(clock),
    // They look at proxies, of which `trust proxy` says what there is to say.
    validate: false,
    handler: (request, response, next) => next(tooOften(rate, limit, request, response, clock)),
  });
  return (caller: string, request: Request, response: Response): Promise<void> => {
    callers.set(request, caller);
    return new Promise((resolve, reject) => {
      const next = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      void limited(request, response, next);
    });
  };
}

/** Counts in windows that begin with a caller's first request, for so many callers. */
function hits(clock: () => number): HitStore {
  const windows = new BoundedMap<string, { totalHits: number; resetTime: Date }>(MAX_CALLERS);
  const increment = (key: string) => {
    const known = windows.get(key);
    const isOpen = known !== undefined && known.resetTime.getTime() > clock();
    const window = isOpen ? known : { totalHits: 0, resetTime: new Date(clock() + WINDOW_MS) };
    const counted = { ...window, totalHits: window.totalHits + 1 };
    windows.set(key, counted);
    return counted;
  };
  // Nothing here takes a hit back.
  return {
    localKeys: true,
    increment,
    decrement: () => {},
    resetKey: (key) => windows.delete(key),
  };
}

function tooOften(
  rate: Rate,
  limit: number,
  request: Request,
  response: Response,
  clock: () => number,
): CodedError {
  const { rateLimit: info } = request as Request & { rateLimit?: { resetTime?: Date } };
  const left = ((info?.resetTime?.getTime() ?? clock()) - clock()) / 1_000;
  response.removeHeader('Retry-After');
  return new CodedError(
    'rate-limited',
    `more than ${limit} requests of this kind came in a minute; wait a little`,
    { rate, limit, retryAfterSeconds: Math.max(1, left) },
  );
}
