/**
 * A check as a list of named steps, each with what was looked at, on whose word it rests and the
 * evidence. A step runs once all that it needs has been found good; after one that failed, those
 * that rest on it are not looked at, and say so: nothing is believed because of something that was
 * not.
 */
import { type ErrorCode, isCoded } from '../../core/error.ts';

export type StepState = 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';

/** One piece of evidence. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** How it is best shown: a digest is long and copied whole, a note is a text of several lines. */
  readonly as?: 'digest' | 'note' | 'instant';
}

export interface Step {
  readonly id: string;
  readonly title: string;
  readonly state: StepState;
  /** What was checked, or why it was not, in a sentence or two. */
  readonly said?: string;
  /** Whose word it rests on. */
  readonly by?: string;
  readonly facts: readonly Fact[];
  /** Why it failed. */
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

/** Characters from which on a value is shown as digests are. */
const LONG = 40;

/** What a step found. */
export interface Finding {
  readonly said: string;
  readonly by?: string;
  readonly facts?: readonly Fact[];
  /** There was nothing to compare; what rests on it is looked at all the same. */
  readonly nothingToCheck?: true;
}

/** A step that is still to be made. */
export interface Plan<Id extends string = string> {
  readonly id: Id;
  readonly title: string;
  /** Steps that must have been good before. */
  readonly needs: readonly Id[];
  /** Throws a CodedError for what it does not accept. */
  readonly look: () => Promise<Finding>;
}

/** Makes the steps in their order; `report` sees all of them after every change. */
export async function runSteps<Id extends string>(
  plans: readonly Plan<Id>[],
  report: (steps: readonly Step[]) => void = () => {},
): Promise<readonly Step[]> {
  const steps: Step[] = plans.map(({ id, title }) => ({ id, title, state: 'waiting', facts: [] }));
  const fallen = new Set<Id>();
  const show = (at: number, change: Partial<Step> & Pick<Step, 'state'>) => {
    steps[at] = { ...steps[at]!, ...change };
    report([...steps]);
  };
  report([...steps]);
  for (const [at, { id, needs, look }] of plans.entries()) {
    const missing = needs.find((need) => fallen.has(need));
    if (missing !== undefined) {
      fallen.add(id);
      show(at, { state: 'skipped', said: restsOn(plans.find((plan) => plan.id === missing)!) });
      continue;
    }
    show(at, { state: 'running' });
    const outcome = await outcomeOf(look);
    if (outcome.state === 'failed') fallen.add(id);
    show(at, outcome);
  }
  return steps;
}

async function outcomeOf(look: Plan['look']): Promise<Partial<Step> & Pick<Step, 'state'>> {
  try {
    const { nothingToCheck, ...found } = await look();
    return { state: nothingToCheck === true ? 'skipped' : 'passed', ...found };
  } catch (error) {
    // A fault of ours is no proof of anything; it must not look like a good step either.
    if (!isCoded(error)) return failed('internal', `this page failed: ${String(error)}`, []);
    return failed(error.code, error.message, evidenceIn(error.details));
  }
}

function failed(code: ErrorCode, message: string, facts: readonly Fact[]) {
  return { state: 'failed', failure: { code, message }, facts } as const;
}

function restsOn({ title }: Plan): string {
  return `Not checked: it rests on “${title}”.`;
}

/** The evidence that a refusal carries, for people to see and to hand on. */
function evidenceIn(details: Readonly<Record<string, unknown>>): Fact[] {
  return Object.entries(details).flatMap(([label, value]): Fact[] => {
    if (label === 'checkpoints' && Array.isArray(value)) return value.map(checkpointFact);
    if (typeof value === 'number') return [{ label, value: String(value) }];
    if (typeof value !== 'string') return [];
    return [value.length > LONG ? { label, value, as: 'digest' } : { label, value }];
  });
}

function checkpointFact(note: unknown, i: number): Fact {
  const label = i === 0 ? 'One signed checkpoint' : 'The other signed checkpoint';
  return { label, value: String(note), as: 'note' };
}
