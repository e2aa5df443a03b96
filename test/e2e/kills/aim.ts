/**
 * When a server is killed, without its help:
 *
 *     a request   so many milliseconds after the n-th of its kind was sent, within the time
 *                 that such a request takes
 *     start       so many milliseconds after its start, while it finishes what the kill
 *                 before left
 *     a call      as it enters the n-th system call of a kind by which something becomes true
 *                 on the disk (where strace can be had)
 */
import { spawnSync } from 'node:child_process';
import type { Draw } from '../../faults/load/draw.ts';
import { type Durations, KINDS, type Kind, kindOf } from '../../faults/load/requests.ts';

type Timed = Kind | 'start';
const TIMED: readonly Timed[] = ['start', ...KINDS];

/** strace's names of system calls, and how many a start and two small releases take. */
const CALLS = { fsync: 200, '/^link': 60, '/^rename': 12, '/^unlink': 80 } as const;
type Call = keyof typeof CALLS;
const CALL_NAMES = Object.keys(CALLS) as readonly Call[];

/** Publishing and appending are what must never be lost: they are aimed at more often. */
const AIMS: readonly (Timed | Call)[] = [
  ...TIMED,
  ...(['publish', 'publish', 'advise', 'seal', 'gated', 'commit', 'decide'] as const),
  ...(hasStrace() ? [...CALL_NAMES, ...CALL_NAMES] : []),
];
const MAX_NTH = 3;
/** A gated release takes as long as several others; the first of two is refused, for a hold. */
const MAX_GATED = 2;

export class Aim {
  readonly #kind: Timed | Call;
  readonly #nth: number;
  readonly #delay: number;
  readonly #durations: Durations;
  #seen = 0;
  #hit: () => void = () => {};
  /** Resolves at the moment to kill, for requests that are sent through `fetch`. */
  readonly moment = new Promise<void>((resolve) => {
    this.#hit = resolve;
  });

  constructor(draw: Draw, durations: Durations) {
    this.#kind = draw.pick(AIMS);
    this.#nth = 1 + Math.floor(draw.fraction() * mostOf(this.#kind));
    this.#durations = durations;
    // A little more than it takes, so that the moment after the answer is reached too.
    const part = 1.2 * draw.fraction();
    this.#delay = isCall(this.#kind) ? 0 : part * durations.of(this.#kind);
  }

  /** Milliseconds from the start of a process to the kill; undefined when that is not the aim. */
  get duringStart(): number | undefined {
    return this.#kind === 'start' ? this.#delay : undefined;
  }

  /** The program under which the server kills itself; nothing when a call is not the aim. */
  get under(): readonly string[] {
    if (!isCall(this.#kind)) return [];
    const inject = `inject=${this.#kind}:signal=KILL:when=${this.#nth}`;
    return [...STRACE, '-e', `trace=${this.#kind}`, '-e', inject];
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const kind = kindOf(`${init?.method ?? 'GET'} ${input}`);
    if (kind !== undefined && kind === this.#kind && ++this.#seen === this.#nth) {
      setTimeout(this.#hit, this.#delay);
    }
    const begun = performance.now();
    const response = await fetch(input, init);
    // A refusal takes no time.
    if (kind !== undefined && response.ok) this.#durations.add(kind, performance.now() - begun);
    return response;
  };

  toString(): string {
    if (isCall(this.#kind)) return `at call no. ${this.#nth} of ${this.#kind}`;
    const which = this.#kind === 'start' ? '' : ` no. ${this.#nth}`;
    return `${this.#delay.toFixed(1)} ms after ${this.#kind}${which}`;
  }
}

/** The server stays our own child (-D), so that a kill reaches it and not strace. (With --seccomp-bpf it miscounts.) */
const STRACE = ['strace', '-D', '-f', '-qq', '-o', '/dev/null'] as const;

/** On a build machine it must be there: without it half of the aims are left out. */
function hasStrace(): boolean {
  const works = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
  if (!works && process.env.CI) throw new Error('strace is needed here (apt-get install strace)');
  return works;
}

function mostOf(kind: Timed | Call): number {
  if (isCall(kind)) return CALLS[kind];
  return kind === 'gated' ? MAX_GATED : MAX_NTH;
}

function isCall(kind: Timed | Call): kind is Call {
  return kind in CALLS;
}
