/**
 * A gated namespace of a registry to measure with, and the one person in it, who decides over
 * HTTP as a client does: a commitment first, then what opens it.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf, parseDigest } from '../../src/core/digest.ts';
import { makeCommitment } from '../../src/core/release/commitment.ts';
import { formatReleaseName, parseReleaseName } from '../../src/core/release/name.ts';
import { formatDecision } from '../../src/core/statement/decision.ts';
import { formatEnvelope, parseEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../src/core/statement/in-toto.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { readKeyFile } from '../../src/keyring/file.ts';
import { type StatementSigner, statementSigner } from '../../src/keyring/keys.ts';
import { BENCH_ORIGIN, BenchRegistry } from './bench-registry.ts';

const NAMESPACE = 'lab';
const HOUR = 3_600_000;

/** Milliseconds until each was answered, and so durable. */
export interface Decided {
  readonly commitment: number;
  readonly decision: number;
}

export class DecidingPerson {
  readonly #registry: BenchRegistry;
  readonly #token: string;
  readonly #signer: StatementSigner;

  private constructor(registry: BenchRegistry, token: string, signer: StatementSigner) {
    this.#registry = registry;
    this.#token = token;
    this.#signer = signer;
  }

  /** Begins the namespace. */
  static async in(registry: BenchRegistry): Promise<DecidingPerson> {
    const key = join(registry.folder, 'person.key');
    registry.run(['key', 'new', key, '--no-passphrase']);
    const as = ['--origin', BENCH_ORIGIN, '--namespace', NAMESPACE, '--person', 'ada'];
    const { spki, proof } = registry.run(['key', 'enroll', key, ...as]);
    const file = join(registry.folder, 'lab.json');
    writeFileSync(file, JSON.stringify(policyWith({ spki, proof })));
    const operator = grant(registry, ['--role', 'operator']);
    const policy = ['--policy', file, '--key', key, '--token', operator];
    registry.run(['namespace', 'create', NAMESPACE, ...policy]);
    const token = grant(registry, ['--role', 'reviewer', 'publisher', '--namespace', NAMESPACE]);
    const signer = statementSigner(await readKeyFile(key, undefined), key);
    return new DecidingPerson(registry, token, signer);
  }

  /** Pushes a draft and decides about it, so many times one after the other. */
  async decide(version: string, times: number): Promise<Decided[]> {
    const release = parseReleaseName(`${NAMESPACE}/small@${version}`);
    const digest = this.#push(formatReleaseName(release));
    const api = new Api({ url: parseRegistryUrl(this.#registry.url), token: this.#token });
    const decided: Decided[] = [];
    let previous: Digest | null = null;
    for (let n = 0; n < times; n++) {
      const envelope = await this.#approval(formatReleaseName(release), digest, n, previous);
      previous = digestOf(nodeHost, envelope);
      const salt = randomBytes(32).toString('hex');
      const { spki } = this.#signer;
      const opening = { digest, spki, n, salt, envelope: previous };
      const begun = performance.now();
      const { index } = await api.commit(makeCommitment(nodeHost, opening));
      const committed = performance.now();
      await api.decide(release, { index, salt, envelope: parseEnvelope(envelope, 'an approval') });
      const done = performance.now();
      decided.push({ commitment: committed - begun, decision: done - committed });
    }
    return decided;
  }

  #push(reference: string): Digest {
    const folder = join(this.#registry.folder, 'decided', reference.replace(/\W/g, '-'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ reference }));
    const { digest } = this.#registry.run(['push', folder, reference, '--token', this.#token]);
    return parseDigest(digest);
  }

  async #approval(release: string, digest: Digest, n: number, previous: Digest | null) {
    const now = Date.now();
    const payload = formatDecision({
      decision: 'approve',
      digest,
      context: {
        origin: BENCH_ORIGIN,
        release,
        revision: 1,
        n,
        previous,
        checkpoint: { size: 0, root: digestOf(nodeHost, utf8('')) },
        time: new Date(now).toISOString(),
        expires: new Date(now + HOUR).toISOString(),
        nonce: randomBytes(32).toString('hex'),
      },
    });
    const signature = await this.#signer.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
    return formatEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, signature);
  }
}

function grant(registry: BenchRegistry, roles: readonly string[]): string {
  const { store, keys } = BenchRegistry.places(registry.folder);
  const where = ['--store', store, '--keys', keys, '--subject', 'ada'];
  return registry.run(['token', 'create', ...where, ...roles]).token;
}

function policyWith(key: { readonly spki: string; readonly proof: string }) {
  return {
    v: 1,
    origin: BENCH_ORIGIN,
    namespace: NAMESPACE,
    version: 1,
    people: [{ id: 'ada', name: 'Ada', keys: [key] }],
    roles: { owner: ['ada'], publisher: ['ada'], reviewer: ['ada'], 'release-manager': ['ada'] },
    owners: 1,
    delay: 0,
    gate: { approvals: [{ role: 'reviewer', count: 1 }] },
    formats: { allow: [] },
  };
}
