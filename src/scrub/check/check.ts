/**
 * Is an object what it must be? Whoever walks through the store says what each object is due
 * to be (`registry/documents/damage.ts`); the answer is what is wrong with it, and where that
 * follows from the log, what its bytes should be. The same question is asked again before
 * anything is written down, and once more when a repair says that it is done.
 *
 * Throws `damaged`, naming another object, where that one stands in the way of an answer.
 */
import { equal, parseBase64 } from '../../core/bytes.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { formatEntryBundle, parseTilePath } from '../../core/log/tile.ts';
import { HASH_BYTES } from '../../core/note/line.ts';
import { decisionCommit } from '../../core/release/commitment.ts';
import { parseEnvelope } from '../../core/statement/dsse.ts';
import { checkRoot, type TrustRoot } from '../../core/trust/succession.ts';
import { bindingForm, isWhole } from '../../registry/documents/content.ts';
import type { Due, DueBy } from '../../registry/documents/damage.ts';
import { decisionForm } from '../../registry/documents/decision.ts';
import { parseKept } from '../../registry/documents/signature.ts';
import { type Key, keys } from '../../store/keys.ts';
import { documentsOf } from '../follows.ts';
import type { LogTruth } from '../log-truth.ts';
import { checkBundleBytes } from './bundle.ts';
import { checkChunkList, checkContent, confirmContent } from './content.ts';
import { checkForm } from './form.ts';
import { checkWithLog } from './log.ts';
import { checkArtifacts } from './oci.ts';
import { type CheckParts, damaged, isProblem, type Problem, readSmall } from './parts.ts';
import { checkSignature } from './signature.ts';

/** Bytes of a statement that is read whole; several are at the same time. */
const MAX_IN_MEMORY = 4 * 2 ** 20;

/** What is wrong with the object at `key`; undefined when nothing is. */
export async function check(parts: CheckParts, key: Key, due: Due): Promise<Problem | undefined> {
  switch (due.by) {
    case 'content':
      return checkContent(parts, key, due);
    case 'chunks':
      return checkSmall(parts, key, (bytes) => checkChunkList(parts.host, bytes, due));
    case 'digest':
      return checkDigest(parts, key, due.digest);
    case 'binding':
      return checkSmall(parts, key, (bytes) => checkBinding(parts.host, bytes, due));
    case 'entry':
      return checkExact(parts, key, await documentAt(parts, key, due.index));
    case 'opening':
      return checkOpening(parts, key, due);
    case 'tree':
      return checkTile(parts, key);
    case 'signature':
      return checkSmall(parts, key, (bytes) => checkSignature(parts, key, bytes));
    case 'root':
      return checkVersion(parts, key, due.version);
    case 'bundle':
      return checkBundle(parts, key, due.index);
    case 'artifacts':
      return checkSmall(parts, key, (bytes) => checkArtifacts(parts, bytes));
    case 'bytes':
      return checkExact(parts, key, parseBase64(due.bytes));
    case 'log':
      return checkSmall(parts, key, (bytes) => checkWithLog(parts, key, bytes));
    case 'form':
      return checkSmall(parts, key, (bytes) => checkForm(parts.host, key, bytes));
  }
}

/** Looks once more at what was found wrong: undefined when that was only for a moment. */
export async function confirm(
  parts: CheckParts,
  key: Key,
  due: Due,
  found: Problem,
): Promise<Problem | undefined> {
  if (due.by === 'content') return confirmContent(parts, key, due, found);
  return check(parts, key, due);
}

/** What `judge` throws of the codes of bad input is damage: the registry wrote it, and knew better. */
async function checkSmall(
  parts: CheckParts,
  key: Key,
  judge: (bytes: Uint8Array) => Problem | undefined | Promise<Problem | undefined>,
): Promise<Problem | undefined> {
  const found = await readSmall(parts, key);
  if (isProblem(found)) return found;
  try {
    return await judge(found);
  } catch (error) {
    if (!isCoded(error) || PASSED_ON.has(error.code)) throw error;
    return damaged(error.message);
  }
}

/** What says nothing about the object that was being judged. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'damaged',
  'interrupted',
  'network',
  'unknown-outcome',
  'disk-full',
  'internal',
]);

/** Manifests and inventories may be large: those are hashed as they come, and never whole in memory. */
async function checkDigest(
  parts: CheckParts,
  key: Key,
  digest: Digest,
): Promise<Problem | undefined> {
  const size = await parts.store.size(key);
  if (size !== undefined && size > MAX_IN_MEMORY) {
    return checkContent(parts, key, { by: 'content', sha256: digest, size });
  }
  return checkSmall(parts, key, (bytes) => {
    const found = digestOf(parts.host, bytes);
    return found === digest ? undefined : damaged(`its SHA-256 is ${found}`);
  });
}

async function checkExact(
  parts: CheckParts,
  key: Key,
  right: Uint8Array,
): Promise<Problem | undefined> {
  const found = await readSmall(parts, key);
  if (isProblem(found)) return { ...found, right };
  return equal(found, right) ? undefined : damaged('it is not what the log says', right);
}

/** The document that the entry makes true. */
async function documentAt(parts: CheckParts, key: Key, index: number): Promise<Uint8Array> {
  const entry = await requireLog(parts).entry(index);
  const document = entry && documentsOf(entry, index).find((each) => each.key === key);
  if (document !== undefined) return document.bytes;
  throw new CodedError('internal', `${key} does not follow from entry ${index}`);
}

async function checkOpening(
  parts: CheckParts,
  key: Key,
  { index }: DueBy<'opening'>,
): Promise<Problem | undefined> {
  const entry = await requireLog(parts).entry(index);
  if (entry?.kind !== 'commitment') {
    throw new CodedError('internal', `entry ${index} is no commitment`);
  }
  return checkSmall(parts, key, (bytes) => {
    const { label, salt, envelope } = decisionForm.parse(bytes);
    const sealed = parseBase64(envelope);
    parseEnvelope(sealed, 'the decision');
    const commit = decisionCommit(parts.host, label, salt, digestOf(parts.host, sealed));
    const fits = label === entry.label && commit === entry.commit;
    return fits ? undefined : damaged('it does not open its commitment');
  });
}

async function checkBundle(
  parts: CheckParts,
  key: Key,
  index: number,
): Promise<Problem | undefined> {
  const entry = await requireLog(parts).entry(index);
  if (entry?.kind !== 'release') throw new CodedError('internal', `entry ${index} is no release`);
  return checkSmall(parts, key, async (bytes) => {
    const signature = parseKept(parts.host, bytes);
    if (signature === undefined) return damaged('its bytes do not have their digest');
    return checkBundleBytes(parts, entry, index, signature);
  });
}

async function checkTile(parts: CheckParts, key: Key): Promise<Problem | undefined> {
  const found = await readSmall(parts, key);
  const log = requireLog(parts);
  const { level, index, width } = parseTilePath(key.slice('log/'.length));
  let right: Uint8Array;
  try {
    right =
      level === 'entries'
        ? formatEntryBundle((await log.entries(index)).slice(0, width))
        : (await log.hashes(level, index)).slice(0, width * HASH_BYTES);
  } catch (error) {
    // This file is one of those that would tell: with the others it is lost.
    if (!isCoded(error, 'damaged')) throw error;
    if (isProblem(found)) return found;
    if (error.details.object !== key) throw error;
    return damaged(error.message);
  }
  if (isProblem(found)) return { ...found, right };
  return equal(found, right) ? undefined : damaged('it does not belong to the signed tree', right);
}

async function checkVersion(
  parts: CheckParts,
  key: Key,
  version: number,
): Promise<Problem | undefined> {
  return checkSmall(parts, key, (bytes) => checkRootBytes(parts, version, bytes));
}

/** Are these the bytes of a version of the trust root that follows upon the one before it? */
export async function checkRootBytes(
  parts: CheckParts,
  version: number,
  bytes: Uint8Array,
): Promise<Problem | undefined> {
  const before = version === 1 ? undefined : await rootBefore(parts, version);
  const checked = await checkRoot(parts.host, bytes, before);
  return checked.ok ? undefined : damaged(checked.message);
}

/** Version `version` − 1, as far as it is believed by itself: its own damage is told where it lies. */
async function rootBefore(parts: CheckParts, version: number): Promise<TrustRoot> {
  let root: TrustRoot | undefined;
  for (let at = 1; at < version; at++) {
    const bytes = await readSmall(parts, keys.root(at));
    const checked = isProblem(bytes)
      ? undefined
      : await checkRoot(parts.host, bytes, root).catch(() => undefined);
    if (checked?.ok !== true) {
      const object = keys.root(at);
      throw new CodedError('damaged', `${object} is damaged`, { object });
    }
    root = checked.root;
  }
  return root!;
}

function checkBinding(host: Host, bytes: Uint8Array, due: DueBy<'binding'>): Problem | undefined {
  const binding = bindingForm.parse(bytes);
  if (!isWhole(host, due.sha256, binding)) return damaged('its sum does not fit what it says');
  const { size, chunks } = binding;
  if (size !== due.size) return damaged(`it says ${size} bytes, not ${due.size}`);
  if (chunks === undefined || chunks === due.chunks) return undefined;
  return damaged(`it says the chunk root ${chunks}, not ${due.chunks}`);
}

function requireLog({ log }: CheckParts): LogTruth {
  if (log !== undefined) return log;
  const object = keys.checkpoint();
  throw new CodedError('damaged', `${object} is damaged, so nothing can be said about the log`, {
    object,
  });
}
