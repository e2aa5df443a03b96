/**
 * The release gate: how long it takes to judge a thousand decisions, how long somebody waits
 * until a decision is recorded, and what it costs an audit to derive every label, open every
 * decision and ask the gate again. Both audits are of a made registry over loopback, as the
 * command line runs them; that of the peer has the same entries and documents, but its policy
 * is solo, so none of its decisions is looked for.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import { MemoryPins } from '../../../src/client/pins.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { fingerprint, parseRoot } from '../../../src/core/trust/root.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { auditRegistry } from '../../../src/transfer/audit/audit.ts';
import { Hearing, policyOf } from '../../../test/made/decisions.ts';
import { BenchRegistry } from '../bench-registry.ts';
import { type Decided, DecidingPerson } from '../deciding.ts';
import { type Bench, compare, type Figure, median, type Part, percentile } from '../figure.ts';
import type { MadeRegistryRequest, ServedRegistry } from '../made-registry.ts';
import { takeTurns } from '../turns.ts';

const DECISIONS = 1_000;
const RELEASES = 300;
const UNTIL = {
  commitment: 'until a commitment is logged, over loopback: 99th percentile',
  decision: 'until the decision behind it is recorded: 99th percentile',
};
/** Decisions that are timed in each round. */
const TIMED = 40;
const COMMAND = { ours: 'npm run bench -- gate' };

const GATE: Requirements = {
  approvals: [{ role: 'reviewer', count: 2 }],
  evaluations: [{ suite: 'safety', accept: ['passed'] }],
};

export const part: Part = {
  about:
    'the gate over 1,000 decisions; until one is recorded; audit with full gate checks beside one without',
  async *measure(bench) {
    yield measureGate(bench);
    yield* measureDecisions(bench);
    yield await measureAudit(bench);
  },
};

function measureGate({ rounds }: Bench): Figure {
  const hearing = new Hearing(policyOf(GATE));
  hearing.seal();
  while (hearing.decisions.length < DECISIONS) {
    hearing.evaluate('eve', 'safety');
    hearing.approve('rita');
    hearing.approve('rob');
    hearing.lift('max', hearing.stop('rob', 'object'));
  }
  const runs = Array.from({ length: rounds * 20 }, () => {
    const begun = performance.now();
    if (!hearing.ask().ok) throw new Error('the gate was not met');
    return { ours: performance.now() - begun };
  });
  const ours = Number(median(runs.map((run) => run.ours)).toPrecision(4));
  const figure = `gate over ${hearing.decisions.length} decisions`;
  return { figure, unit: 'ms', ours, atMost: 5, command: COMMAND, runs };
}

/** The two round trips of a decision, over loopback HTTP to a server with its default period. */
async function* measureDecisions({ folder, rounds }: Bench): AsyncGenerator<Figure> {
  const registry = await BenchRegistry.start(folder);
  try {
    const person = await DecidingPerson.in(registry);
    const decided: Decided[][] = [];
    for (let round = 0; round < rounds; round++) {
      decided.push(await person.decide(`r${round}`, TIMED));
    }
    for (const step of ['commitment', 'decision'] as const) {
      const runs = decided.map((each) => {
        const times = each.map((one) => one[step]);
        return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
      });
      const ours = Math.round(median(runs.map(({ p99 }) => p99)));
      yield { figure: UNTIL[step], unit: 'ms', ours, atMost: 500, command: COMMAND, runs };
    }
  } finally {
    await registry.close();
  }
}

async function measureAudit({ rounds, say }: Bench): Promise<Figure> {
  const gated = await serve(GATE);
  const solo = await serve({});
  try {
    const runs = await takeTurns(rounds, {
      ours: () => entriesPerSecond(gated.served),
      peer: () => entriesPerSecond(solo.served),
    });
    say(`  ${RELEASES} releases, ${gated.served.entries} entries`);
    const figure = 'audit over loopback with full gate checks, beside one without';
    return compare({ figure, unit: 'entries/s', atLeast: 0.5, command: COMMAND }, runs);
  } finally {
    await gated.worker.terminate();
    await solo.worker.terminate();
  }
}

async function serve(gate: Requirements): Promise<{ worker: Worker; served: ServedRegistry }> {
  const workerData = { gate, releases: RELEASES } satisfies MadeRegistryRequest;
  const worker = new Worker(new URL('../made-registry.ts', import.meta.url), { workerData });
  const [served] = await once(worker, 'message');
  return { worker, served };
}

/** As the command line audits it, by somebody who has pinned it and seen nothing of it. */
async function entriesPerSecond({ port, root, now }: ServedRegistry): Promise<number> {
  const { origin } = parseRoot(nodeHost, root).document;
  const url = parseRegistryUrl(`http://127.0.0.1:${port}`);
  const pins = new MemoryPins();
  await pins.saveRoot(origin, 1, root);
  await pins.savePin({ origin, fingerprint: fingerprint(nodeHost, root), urls: [url] });
  const reader = { host: nodeHost, api: new Api({ url }), pins, clock: () => now };
  const begun = performance.now();
  const { ok, size } = await auditRegistry(reader);
  if (!ok) throw new Error('the audit found the made registry wrong');
  return size / ((performance.now() - begun) / 1000);
}
