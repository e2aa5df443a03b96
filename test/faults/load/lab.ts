/**
 * A gated namespace and its people, each with a key, a token and receipts of their own. Between
 * a push and its release stand a suite of tests, two reviewers and a release manager.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenMeans } from '../../../src/cli/means.ts';
import type { Api } from '../../../src/client/api.ts';
import { deskOf } from '../../../src/client/decide/registry-desk.ts';
import type { PinStore } from '../../../src/client/pins.ts';
import type { Receipt } from '../../../src/client/receipts.ts';
import { parseOrigin } from '../../../src/core/log/checkpoint.ts';
import { enrolmentToSign } from '../../../src/core/release/enrolment.ts';
import { parseNamespace } from '../../../src/core/release/name.ts';
import {
  formatPolicy,
  POLICY_PAYLOAD_TYPE,
  type Policy,
} from '../../../src/core/release/policy.ts';
import { policyKey } from '../../../src/core/release/policy-key.ts';
import { formatEnvelope, toSign } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import type { TokenKey } from '../../../src/keyring/jwt.ts';
import {
  newStatementKey,
  type StatementSigner,
  statementSigner,
} from '../../../src/keyring/keys.ts';
import { issueToken, type TokenRole } from '../../../src/keyring/token.ts';
import { openTokenKey } from '../../../src/operator/keys-directory.ts';
import { DiskReceipts } from '../../../src/transfer/receipts-disk.ts';
import { ORIGIN } from '../../e2e/sandbox.ts';

const NAMESPACE = parseNamespace('lab');
const PEOPLE = {
  ada: 'owner',
  eve: 'evaluator',
  max: 'release-manager',
  pat: 'publisher',
  rita: 'reviewer',
  rob: 'reviewer',
} as const;
export type Name = keyof typeof PEOPLE;
export const NAMES = Object.keys(PEOPLE) as readonly Name[];
/** Seconds that tokens are good: longer than any run. */
const LASTS = 24 * 3600;

/** How people reach a registry while its server lives. */
export interface Reach {
  readonly connect: (token: string) => Api;
  readonly pins: PinStore;
  /** Where the receipts lie. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface Person {
  readonly signer: StatementSigner;
  readonly token: string;
}

export class Lab {
  readonly #people: ReadonlyMap<Name, Person>;
  readonly #issuer: TokenKey;

  private constructor(people: ReadonlyMap<Name, Person>, issuer: TokenKey) {
    this.#people = people;
    this.#issuer = issuer;
  }

  /** `keys` is the directory of the server's keys. */
  static async make(keys: string): Promise<Lab> {
    const issuer = await openTokenKey(keys, undefined);
    const people = new Map<Name, Person>();
    for (const name of NAMES) {
      const signer = statementSigner(newStatementKey(), `the key of ${name}`);
      people.set(name, { signer, token: await grant(issuer, name, PEOPLE[name]) });
    }
    return new Lab(people, issuer);
  }

  /** Begins the namespace. */
  async begin(connect: Reach['connect']): Promise<void> {
    const payload = formatPolicy(await this.#policy());
    const signature = await this.signer('ada').sign(toSign(POLICY_PAYLOAD_TYPE, payload));
    const signed = [formatEnvelope(POLICY_PAYLOAD_TYPE, payload, signature)];
    const operator = await grant(this.#issuer, 'op', 'operator');
    await connect(operator).createNamespace({ policy: payload, signed });
  }

  signer(name: Name): StatementSigner {
    return this.#people.get(name)!.signer;
  }

  api(name: Name, { connect }: Reach): Api {
    return connect(this.#people.get(name)!.token);
  }

  /** All that deciding takes. */
  means(name: Name, reach: Reach): OpenMeans {
    const { pins, folder, signal } = reach;
    const reader = { host: nodeHost, api: this.api(name, reach), pins, clock: Date.now };
    return {
      host: nodeHost,
      desk: deskOf(reader, parseOrigin(ORIGIN), signal),
      receipts: new DiskReceipts(join(folder, 'receipts', name)),
      clock: Date.now,
      random: () => randomBytes(32).toString('hex'),
      pause: async (ms) => void (await sleep(ms, undefined, { signal })),
      reader,
    };
  }

  /** Everybody's receipts. */
  async receipts(reach: Reach): Promise<readonly Receipt[]> {
    const all = NAMES.map((name) => {
      const { receipts, desk } = this.means(name, reach);
      return receipts.all(desk.origin);
    });
    return (await Promise.all(all)).flat();
  }

  async #policy(): Promise<Policy> {
    const where = { origin: ORIGIN, namespace: NAMESPACE };
    const people = NAMES.map(async (name) => {
      const { spki, sign } = this.signer(name);
      const proof = await sign(enrolmentToSign({ ...where, person: name }, spki));
      return { id: name, name, keys: [policyKey(spki, proof)] };
    });
    return {
      v: 1,
      ...where,
      version: 1,
      people: await Promise.all(people),
      roles: {
        owner: ['ada'],
        publisher: ['pat'],
        evaluator: ['eve'],
        reviewer: ['rita', 'rob'],
        'release-manager': ['max'],
      },
      owners: 1,
      delay: 0,
      gate: {
        evaluations: [{ suite: 'safety', accept: ['passed'] }],
        approvals: [{ role: 'reviewer', count: 2 }],
      },
      formats: { allow: [] },
    };
  }
}

async function grant(issuer: TokenKey, subject: string, role: TokenRole): Promise<string> {
  const namespace = role === 'operator' ? undefined : NAMESPACE;
  const { token } = await issueToken(
    issuer,
    { subject, roles: [role], namespace },
    LASTS,
    Date.now(),
  );
  return token;
}
