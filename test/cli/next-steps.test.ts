/** What the gate tells people to type is there to be typed. */
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { COMMANDS } from '../../src/cli/commands.ts';
import { makeProgram } from '../../src/cli/program.ts';
import type { GateVerdict } from '../../src/core/release/gate.ts';
import type { Need } from '../../src/core/release/missing.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { day, Hearing, policyOf } from '../made/decisions.ts';
import { makeWorld } from './command-line.ts';

/** Type and test keep this complete: each must occur below. */
const NEEDS: Readonly<Record<Need, true>> = {
  role: true,
  digest: true,
  seal: true,
  age: true,
  'not-before': true,
  evaluation: true,
  approval: true,
  intent: true,
  objection: true,
  hold: true,
  postponed: true,
  unopened: true,
  withdrawn: true,
};

/** Refusals in which every need occurs. */
function refusals(): GateVerdict[] {
  const gate: Requirements = {
    evaluations: [{ suite: 'safety', accept: ['passed'] }],
    approvals: [{ role: 'reviewer', count: 1 }],
    sealed: 30 * 24 * 3600,
    notBefore: day(20),
  };
  const it = new Hearing(policyOf(gate));
  const unsealed = it.ask();
  it.seal();
  it.stop('rob', 'object');
  it.stop('rob', 'hold');
  it.say('max', { decision: 'withdraw', reason: 'Another base model' });
  it.say('max', { decision: 'postpone', until: 'indefinitely', reason: 'Tests' });
  const unopened = [{ index: 7, label: 'ab'.repeat(32) }];
  const intent = undefined;
  return [unsealed, it.ask({ unopened, roles: [], named: undefined, intent })];
}

test('every next step names commands and options that there are', async () => {
  const names = COMMANDS.map(({ name }) => name);
  const program = await makeProgram(names, makeWorld(), () => async () => {});
  const missing = refusals().flatMap((verdict) => (verdict.ok ? [] : verdict.missing));
  expect(new Set(missing.map(({ need }) => need))).toEqual(new Set(Object.keys(NEEDS)));
  const steps = missing.flatMap(({ satisfiedBy }) => satisfiedBy.split(/(?=weighhouse )/));
  const commands = steps.filter((step) => step.startsWith('weighhouse '));
  expect(commands.length).toBeGreaterThan(9);
  for (const step of commands) {
    const [, ...words] = step.split(/[\s,;]+/);
    let command: Command = program;
    for (const word of words) {
      const sub = command.commands.find((each) => each.name() === word);
      if (sub === undefined) break;
      command = sub;
    }
    const options = words.filter((word) => word.startsWith('--'));
    const known = command.options.map(({ long }) => long);
    const unknown = options.filter((option) => !known.includes(option));
    expect({ step, isCommand: command !== program, unknown }).toEqual({
      step,
      isCommand: true,
      unknown: [],
    });
  }
});
