/**
 * Which request meets which fault: drawn from a seed for the n-th request of each kind, so that
 * the same seed does the same to it, whatever else goes on beside it.
 */
import { Draw } from '../load/draw.ts';
import type { DrawFault, Fault } from './fault-proxy.ts';

export interface Weather {
  /** The part of the requests that meet a fault, from 0 to 1. */
  readonly faults: number;
  /** Of the faults, the part that begins a storm: so many requests that are all refused. */
  readonly storms: number;
  /** Faults that take as long as a stall; they take turns with a client's patience. */
  readonly stalls: number;
  readonly stallMs: number;
}

const MAX_STORM = 6;
const MAX_DELAY_MS = 250;

/** The faults of one schedule. */
export function drawSchedule(seed: number, weather: Weather): DrawFault {
  const seen = new Map<string, number>();
  let storm: { left: number; readonly fault: Fault } | undefined;
  let stalls = weather.stalls;
  return (method, path) => {
    if (storm !== undefined && storm.left-- > 0) return storm.fault;
    storm = undefined;
    const kind = `${method} ${placeOf(path)}`;
    const n = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, n);
    const draw = new Draw(hash(`${seed} ${kind} ${n}`));
    if (draw.fraction() >= weather.faults) return undefined;
    if (draw.fraction() < weather.storms) {
      storm = { left: Math.floor(draw.fraction() * MAX_STORM), fault: drawStorm(draw) };
      return storm.fault;
    }
    if (stalls > 0 && draw.fraction() < 0.2) {
      stalls -= 1;
      return { kind: 'stalled', milliseconds: weather.stallMs };
    }
    return drawFault(draw, method);
  };
}

/** A store that is overloaded, that fails, that does not decide, or whose every answer is about its own write. */
function drawStorm(draw: Draw): Fault {
  const status = draw.pick([409, 412, 500, 503] as const);
  return status === 412 ? { kind: 'twice' } : { kind: 'refused', status };
}

function drawFault(draw: Draw, method: string): Fault {
  const milliseconds = Math.ceil(draw.fraction() * MAX_DELAY_MS);
  const always: readonly Fault[] = [
    { kind: 'delayed', milliseconds },
    { kind: 'late', milliseconds },
    { kind: 'refused', status: 500 },
    { kind: 'refused', status: 503 },
    { kind: 'done-refused', status: 500 },
    { kind: 'cut-off' },
    { kind: 'lost' },
    { kind: 'lost' },
    { kind: 'twice' },
  ];
  const ofReads: readonly Fault[] = [
    { kind: 'cut-answer' },
    { kind: 'short-answer' },
    { kind: 'shortened' },
  ];
  const ofWrites: readonly Fault[] = [{ kind: 'refused', status: 409 }, { kind: 'half-sent' }];
  return draw.pick([...always, ...(method === 'GET' ? ofReads : ofWrites)]);
}

/** The kind of an object: what its key begins with, behind the bucket and the registry's prefix. */
function placeOf(path: string): string {
  return path.split('/').slice(3, 5).join('/');
}

/** FNV-1a. */
export function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return state;
}
