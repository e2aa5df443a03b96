/**
 * A request's turn: its class has a place for it, and its answer begins in time. The place is
 * its own until the work has really ended, whatever the client was told meanwhile: so what
 * runs is bounded, and not only what is waited for.
 */
import type { Request, RequestHandler, Response } from 'express';
import { CodedError } from '../core/error.ts';
import { goneSignal } from './gone.ts';
import { Gate, LOAD_LIMITS, type Load, type LoadLimit } from './loads.ts';
import { Pressure, watchPressure } from './pressure.ts';

/** Bytes a second below which no body comes in (`listen.ts`): a part may take so much longer. */
export const SLOWEST_BYTES_A_SECOND = 1_024;

export type LoadLimits = Readonly<Record<Load, LoadLimit>>;

/** Who asks: a token's id, or an address. */
export interface Turn {
  readonly load: Load;
  readonly caller: string;
  readonly request: Request;
  readonly response: Response;
}

export class Admission {
  readonly #limits: LoadLimits;
  readonly #gates: Readonly<Record<Load, Gate>>;
  readonly #pressure: Pressure;

  constructor(changes: Partial<LoadLimits> = {}, pressure = new Pressure()) {
    this.#limits = { ...LOAD_LIMITS, ...changes };
    this.#pressure = pressure;
    const loads = Object.keys(LOAD_LIMITS) as Load[];
    const gates = loads.map((load) => [
      load,
      new Gate(load, this.#limits[load], pressure.isPressed),
    ]);
    this.#gates = Object.fromEntries(gates);
  }

  /** Why the server should get no more to do; undefined when it may. */
  reason(): string | undefined {
    return this.#pressure.reason();
  }

  /** For metrics. */
  counts(): readonly { load: Load; running: number; waiting: number; refused: number }[] {
    return Object.entries(this.#gates).map(([load, { running, waiting, refused }]) => {
      return { load: load as Load, running, waiting, refused };
    });
  }

  /** Looks at this process until the result is called. */
  watch(): () => void {
    return watchPressure(this.#pressure, () =>
      this.counts().reduce((sum, { refused }) => sum + refused, 0),
    );
  }

  /** Runs `act` in its turn. Its signal is aborted when the client is gone, or the time is over. */
  async run<T>(turn: Turn, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { load, caller, request, response } = turn;
    const gate = this.#gates[load];
    // One signal for both: each request makes one, and most need none.
    const over = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) over.abort();
    });
    if (response.destroyed) over.abort();
    if (!gate.tryEnter(caller)) await gate.enter(caller, over.signal);
    const work = act(over.signal);
    const leave = () => gate.leave(caller);
    work.then(leave, leave);
    return begunWithin(this.#deadlineOf(load, request), { work, over, response, request });
  }

  /** A turn of `load` for everything behind it. */
  middleware(load: Load): RequestHandler {
    const gate = this.#gates[load];
    return (request, response, next) => {
      const caller = request.ip ?? '';
      const begin = () => {
        const late = () => {
          if (!response.headersSent) next(tookTooLong(request, this.#limits[load].deadline));
        };
        const timer = setTimeout(late, this.#limits[load].deadline).unref();
        response.once('close', () => {
          clearTimeout(timer);
          gate.leave(caller);
        });
        next();
      };
      if (gate.tryEnter(caller)) begin();
      else gate.enter(caller, goneSignal(response)).then(begin, next);
    };
  }

  #deadlineOf(load: Load, request: Request): number {
    const { deadline } = this.#limits[load];
    if (load !== 'part') return deadline;
    const length = Number(request.get('content-length') ?? 0) || 0;
    return deadline + (length / SLOWEST_BYTES_A_SECOND) * 1_000;
  }
}

/** Rejects when the answer has not begun after `deadline`; what has begun goes on at its reader's pace. */
async function begunWithin<T>(
  deadline: number,
  {
    work,
    over,
    response,
    request,
  }: { work: Promise<T>; over: AbortController; response: Response; request: Request },
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      if (response.headersSent) return;
      const error = tookTooLong(request, deadline);
      over.abort(error);
      reject(error);
    },
    Math.min(deadline, MAX_TIMER),
  ).unref();
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What `setTimeout` takes. */
const MAX_TIMER = 2 ** 31 - 1;

function tookTooLong({ method }: Request, deadline: number): CodedError {
  const seconds = Math.ceil(deadline / 1_000);
  if (method === 'GET' || method === 'HEAD') {
    const message = `this took longer than ${seconds} s; try again in a moment`;
    return new CodedError('overloaded', message, { retryAfterSeconds: 2 });
  }
  const message = `this took longer than ${seconds} s and may be done yet`;
  return new CodedError('unknown-outcome', message);
}
