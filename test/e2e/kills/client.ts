/** A client that pushes, publishes and advises for as long as it is let, and writes its journal. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../../../src/client/api.ts';
import { isCoded } from '../../../src/core/error.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../../src/core/release/advisory.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { formatEnvelope, toSign } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import type { HashingPool } from '../../../src/hashing/pool.ts';
import type { StatementSigner } from '../../../src/keyring/keys.ts';
import { noncesIn } from '../../../src/transfer/nonces.ts';
import { push } from '../../../src/transfer/push.ts';
import type { Journal, JournalRelease } from './journal.ts';

/** Each is published by one of the client's hands, version after version; one is also advised on. */
const MODELS = ['acme/left', 'acme/right'] as const;
export const ADVISED = 'acme/advised';

/** Advisories about one release, before there is another: fewer than the registry takes. */
const ADVISORIES_EACH = 10;

export interface ClientParts {
  readonly api: Api;
  readonly journal: Journal;
  readonly pool: HashingPool;
  /** Signs advisories. */
  readonly owner: StatementSigner;
  readonly origin: string;
  /** Where the models and the nonces lie. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Works with three hands until the signal is given. Throws whatever else fails before that. */
export async function work(parts: ClientParts): Promise<void> {
  await Promise.all([
    ...MODELS.map((model) => untilStopped(parts, () => publish(parts, model))),
    untilStopped(parts, () => advise(parts)),
  ]);
}

/** Finishes everything that the journal has as begun. */
export async function finish(parts: ClientParts): Promise<void> {
  for (const model of [...MODELS, ADVISED]) await publish(parts, model);
  await advise(parts);
}

async function untilStopped({ signal }: ClientParts, act: () => Promise<void>): Promise<void> {
  try {
    while (!signal.aborted) await act();
  } catch (error) {
    // A server that has just died is noticed here first.
    if (isCoded(error, 'network')) await aborted(signal);
    if (!signal.aborted) throw error;
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** Pushes and publishes what is under way, as the same two commands again would. */
async function publish(parts: ClientParts, model: string): Promise<void> {
  const { api, journal, signal } = parts;
  const line = journal.current(model);
  const release = parseReleaseName(line.reference);
  line.digest ??= (await pushAll(parts, line)).digest!;
  line.asked = true;
  const { index, digest } = await api.publish(release, line.digest, { signal });
  if (digest !== line.digest) throw new Error(`${line.reference} was published as ${digest}`);
  if (line.index !== undefined && line.index !== index) {
    throw new Error(`${line.reference} was at ${line.index} and is at ${index}`);
  }
  Object.assign(line, { index, acknowledged: true });
}

async function pushAll({ api, pool, folder, signal }: ClientParts, { reference }: JournalRelease) {
  const model = join(folder, reference.replaceAll('/', '-'));
  await mkdir(model, { recursive: true });
  await writeFile(join(model, 'README.md'), `# ${reference}\n`);
  await writeFile(join(model, 'config.json'), JSON.stringify({ reference }));
  const nonces = noncesIn(join(folder, 'nonces'), () => randomBytes(32).toString('hex'));
  const publisher = { host: nodeHost, api, pool, nonces };
  return push(publisher, model, parseReleaseName(reference), { signal });
}

/** Sends the advisory that is under way again, or a new one. */
async function advise(parts: ClientParts): Promise<void> {
  const { api, journal, signal } = parts;
  let line = journal.advisories.at(-1);
  if (line === undefined || line.index !== undefined) {
    const subject = journal.acknowledged(ADVISED).at(-1);
    const isFull = subject && journal.about(subject).length >= ADVISORIES_EACH;
    if (subject === undefined || isFull) return publish(parts, ADVISED);
    const { reference } = subject;
    line = { reference, envelope: await signAdvisory(parts, subject) };
    journal.advisories.push(line);
  }
  line.index = (await api.advise(line.envelope, { signal })).index;
}

async function signAdvisory(
  { owner, origin }: ClientParts,
  { reference, digest }: JournalRelease,
): Promise<Uint8Array> {
  const payload = formatAdvisory({
    v: 1,
    origin,
    release: reference,
    digest: digest!,
    advisory: 'quality',
    summary: 'As good as any other.',
    time: new Date().toISOString(),
    nonce: randomBytes(32).toString('hex'),
  });
  const signature = await owner.sign(toSign(ADVISORY_PAYLOAD_TYPE, payload));
  return formatEnvelope(ADVISORY_PAYLOAD_TYPE, payload, signature);
}
