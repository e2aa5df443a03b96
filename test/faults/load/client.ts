/** A client that pushes, decides, publishes and advises for as long as it is let, and writes its journal. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from '../../../src/client/api.ts';
import { CodedError, type ErrorCode, isCoded } from '../../../src/core/error.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../../src/core/release/advisory.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import { formatEnvelope, toSign } from '../../../src/core/statement/dsse.ts';
import type { StatementSigner } from '../../../src/keyring/keys.ts';
import { releaseGated } from './gated.ts';
import type { Journal, JournalRelease } from './journal.ts';
import type { Lab, Reach } from './lab.ts';
import { type Pusher, pushModel } from './push.ts';

/** Each is published by one of the client's hands, version after version; one is also advised on. */
const MODELS = ['acme/left', 'acme/right'] as const;
export const ADVISED = 'acme/advised';

/** Advisories about one release, before there is another: fewer than the registry takes. */
const ADVISORIES_EACH = 10;

export interface ClientParts extends Pusher, Reach {
  readonly api: Api;
  readonly journal: Journal;
  /** Signs advisories. */
  readonly owner: StatementSigner;
  readonly origin: string;
  readonly lab: Lab;
}

/** Works with four hands until the signal is given. Throws whatever else fails before that. */
export async function work(parts: ClientParts): Promise<void> {
  await Promise.all(handsOf(parts).map((act) => untilStopped(parts, act)));
}

/**
 * As `work`, where something fails now and then and something goes on: the same command is
 * given again, after what may pass. Resolves to how often that was.
 */
export async function workOn(parts: ClientParts): Promise<number> {
  const failures = await Promise.all(handsOf(parts).map((act) => persistently(parts, act)));
  return failures.reduce((sum, count) => sum + count, 0);
}

/** A few releases at once, advisories, and a release behind the gate. */
function handsOf(parts: ClientParts): readonly (() => Promise<void>)[] {
  return [
    ...MODELS.map((model) => () => publish(parts, model)),
    () => advise(parts),
    () => releaseGated(parts),
  ];
}

/** Publishes one release more, if it is let. */
export function publishNext(parts: ClientParts): Promise<void> {
  return publish(parts, MODELS[0]);
}

/** Finishes everything that the journal has as begun. */
export async function finish(parts: ClientParts): Promise<void> {
  for (const model of [...MODELS, ADVISED]) await publish(parts, model);
  await advise(parts);
  await releaseGated(parts);
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

/** What a client is told while a server dies, a store does not answer, or another server is at it. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'network',
  'overloaded',
  'storage',
  'disk-full',
  'unknown-outcome',
  'conflict',
]);
const PAUSE_MS = 50;

async function persistently({ signal }: ClientParts, act: () => Promise<void>): Promise<number> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await act();
    } catch (error) {
      if (signal.aborted) break;
      if (!isCoded(error) || !PASSING.has(error.code)) throw error;
      failures += 1;
      await pause(PAUSE_MS);
    }
  }
  return failures;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** Pushes and publishes what is under way, as the same two commands again would. */
async function publish(parts: ClientParts, model: string): Promise<void> {
  await endPublish(parts, await beginPublish(parts, model));
}

/** Pushes the release of that model that is under way, or the next one. */
export async function beginPublish(parts: ClientParts, model: string): Promise<JournalRelease> {
  const line = parts.journal.current(model);
  line.digest ??= await pushModel(parts, parts.api, line.reference);
  return line;
}

/** Publishes what was pushed. */
export async function endPublish(
  { api, journal, signal }: ClientParts,
  line: JournalRelease,
): Promise<void> {
  const release = parseReleaseName(line.reference);
  line.asked = true;
  journal.acknowledge(line, await api.publish(release, line.digest, { signal }));
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
  const { reference, envelope } = line;
  const about = journal.releases.find((each) => each.reference === reference);
  try {
    line.index = (await api.advise(envelope, { signal })).index;
  } catch (error) {
    if (about?.published !== false || !isCoded(error, 'not-found')) throw error;
    // Its server died between the log and the public checkpoint, which another one moves soon.
    throw new CodedError('conflict', `${reference} is not public yet`, {}, { cause: error });
  }
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
