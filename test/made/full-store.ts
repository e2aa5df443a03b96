/**
 * A registry whose store holds an object of every kind there is: releases with and without a
 * gate, drafts, an upload under way, a rotated trust root, and the small documents beside them.
 *
 *     const full = await FullStore.make(store, folder);
 *     full.keyOf('blob')
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { formatHex, utf8 } from '../../src/core/bytes.ts';
import { formatDigest } from '../../src/core/digest.ts';
import { formatCanonical } from '../../src/core/json.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import {
  ANNOUNCEMENT_PAYLOAD_TYPE,
  formatAnnouncement,
} from '../../src/core/release/announcement.ts';
import { MIN_CHUNK_SIZE } from '../../src/core/release/chunks.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';

import { publisherId } from '../../src/core/release/trusted-publisher.ts';
import { keyId } from '../../src/core/statement/public-key.ts';
import { nextRoot } from '../../src/core/trust/change.ts';
import { presentLogKey } from '../../src/core/trust/periods.ts';
import { formatRoot, rootToSign } from '../../src/core/trust/root.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { readKeyFile } from '../../src/keyring/file.ts';
import { type StatementSigner, statementSigner } from '../../src/keyring/keys.ts';
import { formatStaging } from '../../src/log/staging.ts';
import { type OpenRegistry, openRegistryAt } from '../../src/open-registry.ts';
import { initRegistry } from '../../src/operator/init.ts';
import { openHeldKeys } from '../../src/operator/keys-directory.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import { publishRoot } from '../../src/operator/publish-root.ts';
import { unloggedForm } from '../../src/registry/documents/decision.ts';
import { quotaForm } from '../../src/registry/documents/quota.ts';
import { markerForm } from '../../src/registry/documents/release.ts';
import { type Sealing, sealingForm } from '../../src/registry/documents/sealing.ts';
import { trustPublisher } from '../../src/registry/trusted-publishers.ts';
import { type Kind, kindOf } from '../../src/scrub/kinds.ts';
import type { Store } from '../../src/store/contract.ts';
import { type Key, keys, parseKey } from '../../src/store/keys.ts';
import {
  declared,
  LiveRegistry,
  nonceOf,
  OPERATOR,
  partsOf,
  RELEASE,
  streamOf,
  type World,
} from './live-registry.ts';
import { ORIGIN } from './model-signature.ts';
import { makeSafetensors } from './safetensors.ts';
import { Team } from './team.ts';

/** Two chunks and a little. */
export const WEIGHTS = new Uint8Array(2 * MIN_CHUNK_SIZE + 4_321).map((_, i) => (i * 31) >> 3);
const GATE = {
  approvals: [{ role: 'reviewer', count: 1 }],
  evaluations: [{ suite: 'safety', accept: ['passed'] }],
} as const;
const SOLO = parseReleaseName('beta/tiny@v1');
const DRAFT = parseReleaseName('beta/next@v1');

export class FullStore {
  readonly store: Store;
  readonly folder: string;
  readonly opened: OpenRegistry;
  /** Every key that the store has, by kind. */
  readonly keys = new Map<Kind, Key[]>();

  private constructor(store: Store, folder: string, opened: OpenRegistry) {
    this.store = store;
    this.folder = folder;
    this.opened = opened;
  }

  static async make(store: Store, folder: string): Promise<FullStore> {
    const random = () => new Uint8Array(randomBytes(32));
    const keysDirectory = join(folder, 'keys');
    const rootKeyFile = join(folder, 'root.key');
    const made = await initRegistry(store, {
      ...{ host: nodeHost, origin: parseOrigin(ORIGIN), keysDirectory, rootKeyFile },
      ownerKeyFile: join(folder, 'owner.key'),
      ...{ passphrase: undefined, now: Date.now(), random: random() },
    });
    const opened = await openRegistryAt(store, keysDirectory, undefined);
    const full = new FullStore(store, folder, opened);
    await full.#fill(made.owner!);
    await rotate(full, rootKeyFile);
    await full.#plant();
    await full.#list();
    return full;
  }

  /** One object of that kind; the largest number of them there is to choose from comes last. */
  keyOf(kind: Kind, which = 0): Key {
    const key = this.keys.get(kind)?.at(which);
    if (key === undefined) throw new Error(`the store has no ${kind}`);
    return key;
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  async #fill(owner: StatementSigner): Promise<void> {
    const { registry, sequencer, log } = this.opened;
    const world = { clock: Date.now } as unknown as World;
    const live = new LiveRegistry(world, registry, sequencer, log);
    const team = new Team();
    await team.createNamespace(live, team.policy(GATE as never));
    await live.push(team.pat, RELEASE, { 'README.md': 'A model.', 'weights.bin': WEIGHTS });
    await announce(live, team);
    const report = utf8('{"score":1}');
    const put = await registry.putReport(team.member, RELEASE, streamOf(report));
    const said = { decision: 'evaluate', suite: 'safety', result: 'passed' } as const;
    await team.decide(live, 'eve', { ...said, report: put });
    await team.decide(live, 'rita', { decision: 'approve' });
    const lost = await team.signed(live, 'rob', { decision: 'hold', reason: 'Wait' });
    await registry.commit(team.member, lost);
    await team.voidLabel(live, lost.label, 'olga', 'otto');
    await team.publish(live);
    await registry.artifacts(RELEASE);

    const policy = await soloFor(parseOrigin(ORIGIN), SOLO.namespace, owner, 'owner');
    const signed = await signPolicy(owner, policy);
    await registry.createNamespace(OPERATOR, { ...signed, override: false });
    const tensors = makeSafetensors({ w: { dtype: 'F32', shape: [16, 16] } });
    const beta = { subject: 'beta', roles: ['publisher'], namespace: SOLO.namespace } as const;
    await live.release(beta, SOLO, { 'model.safetensors': tensors }, nonceOf(7));
    await live.push(beta, DRAFT, { 'README.md': 'Not yet.' }, nonceOf(8));
    await beginUpload(live, beta);
    const job = {
      issuer: 'https://ci.example',
      audience: 'weights.example',
      claims: { repository: 'beta/tiny' },
    };
    await trustPublisher(this.store, SOLO.namespace, job, (each) => publisherId(nodeHost, each));
  }

  /** What comes and goes, as a crash would leave it. */
  async #plant(): Promise<void> {
    const { store } = this;
    const random = 'ab'.repeat(16);
    const plant = (key: Key, bytes: Uint8Array) => store.create(key, bytes);
    const revoked = formatCanonical({ v: 1, revoked: new Date().toISOString() });
    await plant(keys.revoked(random), revoked);
    await plant(keys.exchanged(4_000_000_000, 'cd'.repeat(32)), new Uint8Array(1));
    const marker = markerForm.format({ v: 1, release: 'beta/next@v1', generation: 99 });
    await plant(keys.intent(DRAFT, 99), marker);
    const unlogged = unloggedForm.format({ v: 1, release: 'beta/next@v1', revision: 99 });
    await plant(keys.unlogged(DRAFT, 99), unlogged);
    await plant(keys.staging(999, 'ef'.repeat(32), random), formatStaging(nodeHost, []));
    await plant(keys.probe(random), new Uint8Array(1));
    await plant(keys.device(1, 'ab'.repeat(32), 'taken'), new Uint8Array(1));
    await plant(keys.turn(random.slice(16)), new Uint8Array(0));
    const sealing = { v: 1, generation: 1, server: random, request: `sha256:${'ab'.repeat(32)}` };
    const failed = { ...sealing, state: 'failed', code: 'conflict', message: 'A file is missing.' };
    // As servers write it: a document that changes, which has a checksum in a directory.
    await store.swap(keys.sealing(DRAFT), null, sealingForm.format(failed as Sealing));
    const settled = { files: 0, bytes: 0 };
    const quota = quotaForm.format({ v: 1, generation: 1, settled, drafts: {} });
    await plant(keys.quota(SOLO.namespace), quota);
  }

  async #list(): Promise<void> {
    const folders = ['log', 'root', 'releases', 'namespaces', 'skeletons', 'digests', 'blobs'];
    folders.push('statements', 'chunks', 'revisions', 'private');
    folders.push('signatures', 'artifacts', 'artifacts-by-digest');
    const all: Key[] = [keys.roots(), keys.heads()];
    for (const folder of folders) {
      for await (const key of this.store.list(`${folder}/` as never)) all.push(parseKey(key));
    }
    for (const key of all.sort()) {
      const kind = kindOf(key);
      if (kind === undefined) throw new Error(`${key} is of no kind`);
      this.keys.set(kind, [...(this.keys.get(kind) ?? []), key]);
    }
  }
}

async function announce(live: LiveRegistry, team: Team): Promise<void> {
  const said = formatAnnouncement({
    ...{ v: 1, origin: ORIGIN, release: 'acme/tiny@v1.0', announcement: 'announced' },
    ...{ date: '2030-01-01T00:00:00.000Z', time: new Date().toISOString() },
    nonce: '00'.repeat(32),
  });
  const envelope = team.sign('max', ANNOUNCEMENT_PAYLOAD_TYPE, said);
  await live.registry.announce(team.member, envelope);
}

/** A file of which one part has come. */
async function beginUpload(
  live: LiveRegistry,
  by: Parameters<LiveRegistry['push']>[0],
): Promise<void> {
  const release = parseReleaseName('beta/later@v1');
  await live.registry.openDraft(by, release);
  const other = WEIGHTS.map((byte) => byte ^ 1);
  const ticket = await live.registry.declareFile(by, release, declared('weights.bin', other));
  if (ticket.state !== 'upload') throw new Error('there is nothing to upload');
  const [part] = partsOf(other);
  const { upload } = ticket;
  await live.registry.putPart(by, release, { upload, ...part! }, streamOf(part!.bytes));
}

/** The same keys for a longer time: version 2 of the trust root, in the log. */
async function rotate({ store, folder, opened }: FullStore, rootKeyFile: string): Promise<void> {
  const before = opened.trust.root;
  const signer = statementSigner(await readKeyFile(rootKeyFile, undefined), rootKeyFile);
  const held = await openHeldKeys(nodeHost, join(folder, 'keys'), undefined);
  const random = () => new Uint8Array(randomBytes(32));
  await publishRoot(
    { store, host: nodeHost, held, clock: Date.now, random },
    {
      before,
      compromised: false,
      logKey: presentLogKey(before),
      witnessPolicy: undefined,
      async compose({ size, root }, now) {
        const place = { size, root: formatDigest(root), now };
        const document = nextRoot(nodeHost, before, {}, place);
        const signature = await signer.sign(rootToSign(nodeHost, document));
        const signatures = [{ keyId: keyId(nodeHost, signer.spki), signature }];
        return formatRoot(nodeHost, { document, signatures });
      },
    },
  );
}

/** A name of 32 hex digits, for a process that scrubs. */
export function drawHolder(): string {
  return formatHex(new Uint8Array(randomBytes(16)));
}
