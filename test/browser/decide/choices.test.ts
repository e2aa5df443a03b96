import { describe, expect, test } from '@jest/globals';
import { choicesOf } from '../../../src/browser/decide/choices.ts';
import type { DraftStatus } from '../../../src/client/answers.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { policyOf } from '../../made/decisions.ts';

const STATUS = { missing: [], decisions: [] } as unknown as DraftStatus;
const GATED: Requirements = { approvals: [{ role: 'reviewer', count: 1 }] };
const ROLES = {
  owner: ['olga'],
  publisher: ['pat'],
  evaluator: ['eve'],
  reviewer: ['rita'],
  'release-manager': ['max'],
  reader: ['ron'],
};

const choices = (person: string, gate = GATED) =>
  choicesOf({ ...policyOf(gate), roles: ROLES }, person, STATUS);

describe('what somebody may say about a draft', () => {
  test('follows from their roles', () => {
    const stops = ['object', 'hold', 'postpone'];
    expect(choices('eve')).toEqual(['evaluate', ...stops]);
    expect(choices('rita')).toEqual(['approve', ...stops]);
    expect(choices('max')).toEqual([...stops, 'publish', 'withdraw']);
    expect(choices('pat')).toEqual([...stops, 'withdraw']);
    expect(choices('olga')).toEqual([...stops, 'withdraw']);
    expect(choices('ron')).toEqual([]);
    expect(choices('stranger')).toEqual([]);
  });

  test('has no withdrawal where a token is enough for that', () => {
    expect(choices('pat', {})).not.toContain('withdraw');
  });
});
