/**
 * A gated release under kills: the registry dies before and after every write of a push, a seal,
 * decisions and a publish (so between commitment and answer, intent and log, log and reveal, too),
 * and its store fails or loses its answer at every one of them. What was acknowledged is there: a commitment in the log, a decision in its place and in decisions.json, a release with
 * all its grounds. And the same commands again finish the work.
 */
import { describe, expect, jest, test } from '@jest/globals';
import { forFaults, forWrites, openDying } from '../made/dying.ts';
import { type LiveRegistry, RELEASE, useWorlds, type World } from '../made/live-registry.ts';
import type { Fault } from '../made/memory-store.ts';
import { openGated, type Signed, type Team } from '../made/team.ts';

const makeWorld = useWorlds();
jest.setTimeout(240_000);

const TRIES = 8;
const CHAIN = { context: { n: 0, previous: null } };

async function gated(isPushed: boolean) {
  const world = await makeWorld();
  const { live, team } = await openGated(world);
  if (isPushed) await live.push(team.pat, RELEASE);
  await live.close();
  return { world, team };
}

/** What a client of each person does: it keeps what it signed, and asks again with that. */
class Clients {
  readonly #team: Team;
  readonly #signed = new Map<string, Signed>();
  /** What was acknowledged. */
  readonly committed = new Map<string, number>();
  readonly recorded = new Map<string, number>();
  published: number | undefined;

  constructor(team: Team) {
    this.#team = team;
  }

  /** From the push to the publish, or whatever of it is left. */
  async release(live: LiveRegistry): Promise<void> {
    const status = await live.registry.draftStatus(this.#team.pat, RELEASE).catch(() => undefined);
    if (status?.digest === undefined) await live.push(this.#team.pat, RELEASE);
    await this.#decide(live, 'rob', { decision: 'hold', reason: 'Wait' });
    await this.#decide(live, 'rita', { decision: 'approve' });
    const lifts = this.#signed.get('rob')!.digest;
    await this.#decide(live, 'max', { decision: 'lift', lifts, reason: 'Ready' });
    const previous = this.#signed.get('max')!.digest;
    const intent = await this.#sign(
      live,
      'intent',
      'max',
      { decision: 'publish' },
      { n: 1, previous },
    );
    const { digest } = await live.registry.draftStatus(this.#team.pat, RELEASE);
    const { envelope } = intent;
    const done = await live.registry.publish(this.#team.pat, RELEASE, digest, envelope);
    this.published = done.index;
  }

  async #sign(
    live: LiveRegistry,
    name: string,
    who: 'rob' | 'rita' | 'max',
    said: Parameters<Team['signed']>[2],
    context: NonNullable<Parameters<Team['signed']>[3]>['context'] = CHAIN.context,
  ): Promise<Signed> {
    const kept = this.#signed.get(name);
    if (kept !== undefined) return kept;
    const signed = await this.#team.signed(live, who, said, { context: context! });
    this.#signed.set(name, signed);
    return signed;
  }

  async #decide(
    live: LiveRegistry,
    who: 'rob' | 'rita' | 'max',
    said: Parameters<Team['signed']>[2],
  ): Promise<void> {
    if (this.recorded.has(who)) return;
    const signed = await this.#sign(live, who, who, said);
    const { index } = await live.registry.commit(this.#team.member, signed);
    this.committed.set(signed.label, index);
    await this.#team.open(live, index, signed);
    this.recorded.set(who, index);
  }
}

describe('a gated release', () => {
  test.each([
    ['before', 'die-before'],
    ['after', 'die-after'],
  ] as const)('survives a kill %s every write, and the next start goes on', async (_, when) => {
    const { world: origin, team } = await gated(false);
    await forWrites(async (k) => {
      const world = origin.fork();
      const clients = new Clients(team);
      const dying = await openDying(world, k, when);
      await dying.attempt((live) => clients.release(live));
      const killed = await dying.isKilled();
      await expectInvariant(world, team, clients);
      await world.close();
      return killed;
    });
  });

  test.each<Fault>(['fail', 'lose'])('survives a store that answers with "%s"', async (fault) => {
    const { world: origin, team } = await gated(true);
    await forFaults(fault, async (faulty) => {
      const world = origin.fork();
      const clients = new Clients(team);
      const live = await world.open(faulty);
      await persistently(live, clients);
      await live.close();
      await expectInvariant(world, team, clients);
      await world.close();
    });
  });
});

/** What a client does that was told of a failure of the store: the same command again. */
async function persistently(live: LiveRegistry, clients: Clients): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await clients.release(live);
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function expectInvariant(world: World, team: Team, clients: Clients): Promise<void> {
  const live = await world.open();
  await live.registry.recover();
  await expectAcknowledged(live, team, clients);
  await persistently(live, clients);
  await expectAcknowledged(live, team, clients);

  const entries = await live.entries();
  const kinds = entries.map(({ kind }) => kind);
  // One seal, three decisions, one release: nothing stands there twice.
  expect(kinds.filter((kind) => kind === 'commitment')).toHaveLength(4);
  const released = entries.filter(({ kind }) => kind === 'release');
  expect(released).toHaveLength(1);
  expect(released[0]).toMatchObject({
    decisions: expect.any(String),
    verdict: expect.any(String),
    intent: expect.any(String),
  });
  const bytes = await live.registry.document(RELEASE, 'decisions.json');
  const { decisions } = JSON.parse(new TextDecoder().decode(bytes));
  const commitments = kinds.flatMap((kind, i) => (kind === 'commitment' ? [i] : []));
  expect(decisions.map(({ index }: { index: number }) => index)).toEqual(commitments);
}

async function expectAcknowledged(live: LiveRegistry, team: Team, clients: Clients): Promise<void> {
  const entries = await live.entries();
  for (const [label, index] of clients.committed) {
    expect(entries[index]).toMatchObject({ kind: 'commitment', label });
  }
  if (clients.recorded.size > 0) {
    const { decisions } = await live.registry.draftStatus(team.member, RELEASE);
    const shown = new Map(decisions.map(({ person, index }) => [person, index]));
    for (const [who, index] of clients.recorded) expect(shown.get(who)).toBe(index);
  }
  if (clients.published !== undefined) {
    expect(await live.registry.release(RELEASE)).toMatchObject({ index: clients.published });
  }
}
