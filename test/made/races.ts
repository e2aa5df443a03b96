/**
 * What is ready to be published in a gated namespace, and races against its publish: each runs
 * on a copy of the same world, in an order of events that follows from its seed.
 *
 * WEIGHHOUSE_RACE_SEED repeats one race; the seed of one that fails stands in its message.
 */
import { setImmediate } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { type ErrorCode, isCoded } from '../../src/core/error.ts';
import { dice } from './gated-stories.ts';
import { type LiveRegistry, RELEASE, type World } from './live-registry.ts';
import { openGated, type Team } from './team.ts';

/** One race: two servers, or one that is both, and what there is to publish. */
export interface Race {
  readonly team: Team;
  readonly one: LiveRegistry;
  readonly other: LiveRegistry;
  /** An integer from 0, below `limit`. */
  readonly draw: (limit: number) => number;
  /** Waits for up to 60 turns of the event loop. */
  readonly hesitate: () => Promise<void>;
  readonly publish: () => Promise<{ readonly index: number }>;
}

/** Runs `race` so many times; it answers who won, and each of `sides` must win now and then. */
export async function raceAPublish<Side extends string>(
  origin: World,
  races: number,
  sides: readonly Side[],
  race: (race: Race) => Promise<Side>,
): Promise<void> {
  const { team, digest, intent } = await readyToPublish(origin);
  const fixed = process.env.WEIGHHOUSE_RACE_SEED;
  const first = fixed === undefined ? Math.floor(Math.random() * 1e9) : Number(fixed);
  const won = new Map(sides.map((side) => [side, 0]));
  for (let n = 0; n < (fixed === undefined ? races : 1); n++) {
    const world = origin.fork();
    try {
      const roll = dice(first + n);
      const draw = (limit: number) => Math.floor(roll() * limit);
      const one = await world.open({ turns: () => draw(3) });
      const other = draw(2) === 0 ? one : await world.open({ turns: () => draw(3) });
      const hesitate = async () => {
        for (let turns = draw(60); turns > 0; turns--) await setImmediate();
      };
      const publish = () => one.registry.publish(team.pat, RELEASE, digest, intent);
      const winner = await race({ team, one, other, draw, hesitate, publish });
      won.set(winner, won.get(winner)! + 1);
    } catch (cause) {
      throw new Error(`the race with WEIGHHOUSE_RACE_SEED=${first + n}`, { cause });
    }
    await world.close();
  }
  if (fixed !== undefined) return;
  // Each must be able to win, or nothing was raced.
  for (const wins of won.values()) expect(wins).toBeGreaterThan(races / 50);
}

/** A draft that was sealed and approved, and the signed intent to publish it. */
async function readyToPublish(
  origin: World,
): Promise<{ readonly team: Team; readonly digest: Digest; readonly intent: Uint8Array }> {
  const { live, team } = await openGated(origin);
  const digest = await live.push(team.pat, RELEASE);
  await team.decide(live, 'rita', { decision: 'approve' });
  const { envelope: intent } = await team.signed(live, 'max', { decision: 'publish' });
  await live.close();
  return { team, digest, intent };
}

/** Undefined for a refusal with one of these codes; anything else is thrown on. */
export const only =
  (...codes: readonly ErrorCode[]) =>
  (error: unknown): undefined => {
    if (!codes.some((code) => isCoded(error, code))) throw error;
  };
