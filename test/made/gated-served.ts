/**
 * A served registry whose namespace acme has a gate, and everybody's way to it: each person with
 * a key and a token of their own, over HTTP.
 *
 *     const gated = useGated();
 *     test('…', async () => {
 *       await gated().push();
 *       await gated().decide('rita', { decision: 'approve' });
 *       await refused(gated().publish(), 'gate-unmet', 'a release manager must …');
 *     });
 */
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { audit } from '../../src/client/audit/audit.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { MemoryPins } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import { introduce, trust } from '../../src/client/trust.ts';
import type { Violation } from '../../src/core/audit/findings.ts';
import type { Digest } from '../../src/core/digest.ts';
import {
  formatReleaseName,
  parseNamespace,
  type ReleaseName,
} from '../../src/core/release/name.ts';
import type { Policy } from '../../src/core/release/policy.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { ROLES } from '../../src/core/release/roles.ts';
import { parseEnvelope } from '../../src/core/statement/dsse.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { issueToken } from '../../src/keyring/token.ts';
import type { Key } from '../../src/store/keys.ts';
import { Audited } from './audited.ts';
import type { Said } from './decisions.ts';
import { dice, tell, type VIOLATIONS } from './gated-stories.ts';
import { ACME, FILES, type MadeFiles, RELEASE } from './live-registry.ts';
import { ORIGIN } from './model-signature.ts';
import { NO_PAUSES } from './reader.ts';
import { Served } from './served.ts';
import {
  type About,
  ONE_APPROVAL,
  type PersonName,
  type Running,
  type Signed,
  Team,
} from './team.ts';

/** Begins anew for each test. */
export function useGated(
  gate: Requirements = ONE_APPROVAL,
  changes: Partial<Policy> = {},
): () => GatedServer {
  let gated: GatedServer;
  beforeEach(async () => {
    gated = await GatedServer.start(gate, changes);
  });
  afterEach(() => gated.stop());
  return () => gated;
}

export class GatedServer {
  readonly served: Served;
  readonly team: Team;
  readonly #clock: { offset: number };
  readonly #gate: Requirements;
  readonly #changes: Partial<Policy>;

  private constructor(
    served: Served,
    team: Team,
    clock: { offset: number },
    policy: { readonly gate: Requirements; readonly changes: Partial<Policy> },
  ) {
    this.served = served;
    this.team = team;
    this.#clock = clock;
    this.#gate = policy.gate;
    this.#changes = policy.changes;
  }

  /** `name` is the host name by which browsers reach it. */
  static async start(
    gate: Requirements,
    changes: Partial<Policy>,
    name?: string,
  ): Promise<GatedServer> {
    const team = new Team();
    const time = { offset: 0 };
    const clock = () => Date.now() + time.offset;
    const served = await Served.start({
      origin: ORIGIN,
      clock,
      ...(name !== undefined && { name }),
      begin: (registry) =>
        team.createNamespace({ registry, world: { clock } }, team.policy(gate, changes)),
    });
    return new GatedServer(served, team, time, { gate, changes });
  }

  stop(): Promise<void> {
    return this.served.stop();
  }

  get now(): number {
    return Date.now() + this.#clock.offset;
  }

  /** As the helpers of a running registry see it. */
  get live(): Running {
    return { registry: this.served.registry, world: { clock: () => this.now } };
  }

  /** The file in the operator's store that is the object with that key. */
  stored(key: Key): string {
    return join(this.served.folder, 'store', 'objects', key);
  }

  /** Lets every clock of the server jump. */
  pass(milliseconds: number): void {
    this.#clock.offset += milliseconds;
    this.served.pass(milliseconds);
  }

  /** The way of one person to the server, with every role: what they may decide their keys say. */
  async api(who: string, namespace = 'acme'): Promise<Api> {
    const grant = { subject: who, roles: ROLES, namespace: parseNamespace(namespace) };
    const { token } = await issueToken(this.served.tokens, grant, 3600, this.now);
    return new Api({ url: parseRegistryUrl(this.served.url), token, pauses: NO_PAUSES });
  }

  /** Pat, or somebody else, pushes and seals. */
  async push(
    release: ReleaseName = RELEASE,
    files: MadeFiles = FILES,
    who = 'pat',
  ): Promise<Digest> {
    const { token } = (await this.api(who)).http;
    const { digest } = await this.served.push(formatReleaseName(release), files, { token: token! });
    return digest;
  }

  sign(who: PersonName, said: Said, about: About = {}): Promise<Signed> {
    return this.team.signed(this.live, who, said, about);
  }

  async commit(signed: Pick<Signed, 'label' | 'commit'>): Promise<number> {
    return (await (await this.api('somebody')).commit(signed)).index;
  }

  /** Opens the commitment at `index`. */
  async open(index: number, { salt, envelope }: Signed, release = RELEASE) {
    const opening = { index, salt, envelope: parseEnvelope(envelope) };
    return (await this.api('somebody')).decide(release, opening);
  }

  /** Signs, commits and opens. */
  async decide(who: PersonName, said: Said, about: About = {}) {
    const signed = await this.sign(who, said, about);
    return this.open(await this.commit(signed), signed, about.release);
  }

  /** Publishes what is sealed, with max's intent or another. */
  async publish(release = RELEASE, intent?: Signed) {
    const api = await this.api('max');
    const { digest } = await api.draftStatus(release);
    const { envelope } = intent ?? (await this.sign('max', { decision: 'publish' }, { release }));
    return api.publish(release, digest!, { intent: parseEnvelope(envelope) });
  }

  /** The next version, with the same gate and the same changes unless told otherwise. */
  policy(version: number, gate = this.#gate, changes: Partial<Policy> = {}): Policy {
    return this.team.policy(gate, { ...this.#changes, version, ...changes });
  }

  /** Asks for the next policy, signed by these owners. */
  async setPolicy(policy: Policy, ...owners: PersonName[]) {
    const { policy: bytes, signed } = this.team.signPolicy(policy, ...owners);
    const envelopes = signed.map((each) => parseEnvelope(each));
    return (await this.api('somebody')).setPolicy(ACME, { policy: bytes, signed: envelopes });
  }

  /** Somebody who has pinned the registry, and seen nothing of it yet. */
  async reader(pins = new MemoryPins()): Promise<Reader> {
    const api = new Api({ url: parseRegistryUrl(this.served.url), pauses: NO_PAUSES });
    const root = async (version: number) => {
      const path = `/.well-known/weighhouse/root/${version}.json`;
      const response = await this.served.fetch(path);
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
    };
    const first = await introduce(nodeHost, pins, root);
    await trust(pins, first, this.served.fingerprint, this.served.url);
    return { host: nodeHost, api, pins, clock: () => this.now };
  }

  /** What an auditor finds in the public log and the documents. */
  async audit(): Promise<readonly Violation[]> {
    return (await audit(await this.reader(), {})).violations;
  }
}

/** What an audit says of a release that a patched registry published: `code: sentence`. */
export async function auditOf(story: keyof typeof VIOLATIONS): Promise<string[]> {
  const audited = new Audited();
  const index = tell(audited.made, dice(1), story);
  audited.made.heads();
  const { violations } = await audited.audit();
  expect(violations.map((each) => each.index)).toEqual([index]);
  return violations.map(({ code, message }) => `${code}: ${message}`);
}
