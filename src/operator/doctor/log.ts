/** The log: is what is committed signed, whole, public and not older than what was seen before? */
import { readFile } from 'node:fs/promises';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { openCheckpoint, parseCheckpoint, type TreeHead } from '../../core/log/checkpoint.ts';
import { loadEdge } from '../../core/log/tree.ts';
import { noteVerifier, parseNote } from '../../core/note/note.ts';
import { logKeysAt } from '../../core/trust/periods.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { loadLock } from '../../log/lock.ts';
import { beginsWith, storedTiles } from '../../log/reader.ts';
import { load } from '../../registry/documents/form.ts';
import { headsForm } from '../../registry/documents/heads.ts';
import type { Store } from '../../store/contract.ts';
import { type Key, keys } from '../../store/keys.ts';
import { readStoredRoot } from '../stored-root.ts';
import { type Finding, failed, looking, ok, warning } from './finding.ts';

/** Milliseconds that a commit may wait for its witnesses before that is worth a word. */
const WAITING_MS = 60_000;
const REPAIR = 'run "weighhouse scrub" and "weighhouse repair"';
const ROLLBACK =
  'stop every server, and restore the newest copy of the store: to go on from this one would fork the log';

export interface LogParts {
  readonly store: Store;
  readonly host: Host;
  readonly clock: () => number;
  /** Where a server of this machine remembers how far it has seen the log; it need not be there. */
  readonly lastSeen: (root: TrustRoot) => string;
}

interface Trees {
  readonly root: TrustRoot;
  readonly committed: TreeHead;
  /** When it was committed. */
  readonly time: number;
  readonly published: TreeHead;
}

export async function checkLog(parts: LogParts): Promise<readonly Finding[]> {
  const found = await looking('log', REPAIR, async () => {
    const trees = await readTrees(parts);
    return [
      ...(await looking('log', REPAIR, () => checkTree(parts, trees))),
      ...(await looking('log', ROLLBACK, () => checkSeen(parts, trees))),
      checkPublished(parts, trees),
      ...(await looking('log', REPAIR, () => checkAlive(parts, trees))),
    ];
  });
  return found;
}

async function readTrees({ store, host }: LogParts): Promise<Trees> {
  const { root } = await readStoredRoot(host, store);
  const lock = await loadLock(store);
  const stored = await store.get(keys.checkpoint());
  if (lock === undefined || stored === undefined) {
    const missing = lock === undefined ? keys.lock() : keys.checkpoint();
    throw new CodedError('not-found', `${missing} is not in ${store.name}`);
  }
  return {
    root,
    time: lock.time,
    committed: opened(root, keys.lock(), lock.checkpoint),
    published: opened(root, keys.checkpoint(), stored.bytes),
  };
}

function opened(root: TrustRoot, key: Key, note: Uint8Array): TreeHead {
  const { size } = parseCheckpoint(parseNote(note).text);
  const verdict = openCheckpoint(note, root.origin, logKeysAt(root, size).map(noteVerifier));
  if (verdict.ok) return { size, root: verdict.checkpoint.root };
  throw new CodedError(verdict.code, `${key}: ${verdict.message}`);
}

/** The tail that the next commit would stand on, and that the public tree is its beginning. */
async function checkTree(
  { store, host }: LogParts,
  { committed, published }: Trees,
): Promise<readonly Finding[]> {
  const read = storedTiles(store);
  // Between a commit and its tiles there is a moment: then the public tree is what is whole.
  const whole = await loadEdge(host, committed, read).then(
    () => committed,
    async () => {
      await loadEdge(host, published, read);
      return published;
    },
  );
  if (whole.size < committed.size) {
    const says = `${committed.size - whole.size} committed entries have no tiles yet`;
    return [warning('log', says, 'start a server: it carries the commit out')];
  }
  if (!(await beginsWith(host, read, committed, published))) {
    const says = 'the public checkpoint is of another tree than the committed one';
    return [failed('log', says, ROLLBACK)];
  }
  return [ok('log', `${committed.size} entries, signed, and their tail tiles make the root`)];
}

async function checkSeen(
  { store, host, lastSeen }: LogParts,
  { root, committed }: Trees,
): Promise<readonly Finding[]> {
  const path = lastSeen(root);
  const note = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (note === undefined) return [];
  const seen = opened(root, path as Key, new Uint8Array(note));
  if (await beginsWith(host, storedTiles(store), committed, seen)) {
    return [ok('log', `it has grown from the ${seen.size} entries that this machine saw last`)];
  }
  const says = `this machine has seen a log of ${seen.size} entries (${path}) with which the one of ${committed.size} entries in the store does not fit`;
  return [failed('log', says, ROLLBACK)];
}

function checkPublished({ clock }: LogParts, { root, committed, published, time }: Trees): Finding {
  const behind = committed.size - published.size;
  const who =
    root.witnessPolicy === undefined ? 'no witness is asked' : 'its witnesses have signed';
  if (behind === 0) return ok('witnesses', `all ${published.size} entries are public; ${who}`);
  const says = `${behind} committed entries are not public yet`;
  if (clock() - time < WAITING_MS) return ok('witnesses', says);
  const todo = 'look whether a server runs and reaches enough witnesses of the policy';
  return failed('witnesses', says, todo);
}

/** Clients refuse a log that has been silent for longer than its root allows. */
async function checkAlive(
  { store, clock }: LogParts,
  { root }: Trees,
): Promise<readonly Finding[]> {
  const heads = await load(store, keys.heads(), headsForm);
  if (heads === undefined) return [];
  const age = Math.round((clock() - Date.parse(heads.value.time)) / 1000);
  const says = `the newest heads entry is ${age} s old`;
  if (age <= root.maxAge) return [ok('log', says)];
  const todo = 'start a server: it says every few minutes that the log is alive';
  return [warning('log', `${says}; clients refuse a log older than ${root.maxAge} s`, todo)];
}
