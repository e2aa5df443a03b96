/**
 * A served registry whose namespace acme keeps the bytes of its releases for readers:
 *
 *     const restricted = await Restricted.start();
 *     await restricted.setBytes(undefined); // now they are everybody's
 */
import { createHash } from 'node:crypto';
import { parseNamespace } from '../../src/core/release/name.ts';
import type { Policy } from '../../src/core/release/policy.ts';
import type { Restriction } from '../../src/core/release/readers.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import { ACME, caller, OPERATOR } from './live-registry.ts';
import { Served, type ServedOptions } from './served.ts';

export const TERMS = { name: 'Acme Licence 2', url: 'https://acme.example/licence' };
export const FOR_READERS: Restriction = { for: 'readers', terms: TERMS };

/** What `acme/tiny@v1` holds: one document that everybody may read, and two files for readers. */
export const OPEN = '# Tiny\n';
export const CONFIG = '{"model_type":"tiny"}\n';
export const WEIGHTS = 'These bytes are for those who have accepted the licence.';
export const RELEASE_FILES = { 'README.md': OPEN, 'config.json': CONFIG, 'weights.bin': WEIGHTS };

export const hexOf = (text: string) => createHash('sha256').update(text).digest('hex');
export const digestOfText = (text: string) => `sha256:${hexOf(text)}`;

export class Restricted {
  readonly served: Served;
  #policy: Policy;

  private constructor(served: Served, policy: Policy) {
    this.served = served;
    this.#policy = policy;
  }

  /** With `acme/tiny@v1` published; `bytes` may be other than for readers with terms. */
  static async start(
    options: ServedOptions = {},
    bytes: Restriction | null = FOR_READERS,
  ): Promise<Restricted> {
    const served = await Served.start({ ...options, begin: async () => {} });
    const solo = await soloFor(served.origin, parseNamespace('acme'), served.owner, 'owner');
    const policy = { ...solo, ...(bytes && { bytes }) };
    const signed = await signPolicy(served.owner, policy);
    await served.registry.createNamespace(OPERATOR, { ...signed, override: false });
    const restricted = new Restricted(served, policy);
    await served.publish('acme/tiny@v1', RELEASE_FILES);
    return restricted;
  }

  /** Logs the next policy, which says so of the bytes. */
  async setBytes(bytes: Restriction | undefined): Promise<void> {
    const { bytes: _, ...rest } = this.#policy;
    const next = { ...rest, version: rest.version + 1, ...(bytes && { bytes }) };
    const signed = await signPolicy(this.served.owner, next);
    await this.served.registry.setPolicy(caller('acme', 'owner'), { namespace: ACME, ...signed });
    this.#policy = next;
  }

  async reader(namespace = 'acme'): Promise<string> {
    const grant = { roles: ['reader'], subject: 'rea', namespace } as const;
    return (await this.served.token(grant)).token;
  }

  /** A pull token, as OCI clients get one with `token`; anybody's without. */
  async pullToken(token: string | null, model = 'acme/tiny'): Promise<string> {
    const path = `/token?scope=repository:${model}:pull`;
    const answer = (await (await this.served.fetch(path, { token })).json()) as { token: string };
    return answer.token;
  }
}
