/**
 * The release gate: how long it takes to judge a thousand decisions, and what it costs an audit
 * to derive every label, open every decision and ask the gate again. Both audits are of a made
 * registry in memory, on one thread; that of the peer has the same entries and documents, but
 * its policy is solo, so none of its decisions is looked for.
 */
import { isGated, type Requirements } from '../../../src/core/release/requirements.ts';
import { Audited } from '../../../test/made/audited.ts';
import { Hearing, policyOf } from '../../../test/made/decisions.ts';
import { GatedNamespace } from '../../../test/made/gated.ts';
import { type Bench, compare, type Figure, median, type Part } from '../figure.ts';
import { takeTurns } from '../turns.ts';

const DECISIONS = 1_000;
const RELEASES = 300;
/** Releases between two heads entries. */
const BETWEEN_HEADS = 25;
const COMMAND = { ours: 'npm run bench -- gate' };

const GATE: Requirements = {
  approvals: [{ role: 'reviewer', count: 2 }],
  evaluations: [{ suite: 'safety', accept: ['passed'] }],
};

export const part: Part = {
  about: 'the gate over 1,000 decisions; audit with full gate checks beside one without',
  async *measure(bench) {
    yield measureGate(bench);
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

async function measureAudit({ rounds, say }: Bench): Promise<Figure> {
  const gated = madeRegistry(GATE);
  const solo = madeRegistry({});
  const runs = await takeTurns(rounds, {
    ours: () => entriesPerSecond(gated),
    peer: () => entriesPerSecond(solo),
  });
  say(`  ${RELEASES} releases, ${gated.made.entries.length} entries`);
  const figure = 'audit with full gate checks, beside one without';
  return compare({ figure, unit: 'entries/s', atLeast: 0.5, command: COMMAND }, runs);
}

/** Releases with a seal, an evaluation and two approvals each. */
function madeRegistry(gate: Requirements): Audited {
  const audited = new Audited();
  const { made } = audited;
  const space = new GatedNamespace(made, 'acme', gate);
  for (let i = 0; i < RELEASES; i++) {
    const draft = space.draft(`model@v${i}`, `weights ${i}`);
    draft.seal();
    draft.evaluate('safety');
    draft.approve('rita');
    draft.approve('rob');
    if (isGated(gate)) draft.publish();
    else made.release(draft.prepared);
    if (i % BETWEEN_HEADS === BETWEEN_HEADS - 1) made.heads();
  }
  return audited;
}

async function entriesPerSecond(audited: Audited): Promise<number> {
  const begun = performance.now();
  const { ok, size } = await audited.audit();
  if (!ok) throw new Error('the audit found the made registry wrong');
  return size / ((performance.now() - begun) / 1000);
}
