/**
 * What a registry may lie about to a reader of one release, each at the step of the check that
 * must find it. A lie changes one answer of an honest server:
 *
 *     const lie = LIES['another manifest'];
 *     lie.change('/api/v1/releases/acme/tiny/v1.0/manifest.json', bytes)
 */

import { join } from 'node:path';
import type { StepId } from '../../src/browser/check/release.ts';
import { formatBase64, parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { parseCheckpoint, signCheckpoint } from '../../src/core/log/checkpoint.ts';
import { emptyEdge, grow } from '../../src/core/log/tree.ts';
import { noteSigner, parseNote } from '../../src/core/note/note.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { LiveTrust } from '../../src/operator/live-trust.ts';
import type { Served } from './served.ts';

/** What is answered in place of these bytes; undefined leaves them as they are. */
export type Change = (path: string, bytes: Uint8Array) => Uint8Array | undefined;

export interface Lie {
  readonly step: StepId;
  readonly change: Change;
}

/** Changes the answers whose path ends so. */
const at =
  (end: string, change: (text: string) => string): Change =>
  (path, bytes) =>
    path.endsWith(end) ? utf8(change(parseUtf8(bytes))) : undefined;

/** Another number, hexadecimal digit or letter in the place of the last one in `text`. */
function altered(text: string): string {
  const last = text.search(/[0-9a-f][^0-9a-f]*$/);
  return text.slice(0, last) + (text[last] === '0' ? '1' : '0') + text.slice(last + 1);
}

export const LIES: Readonly<Record<string, Lie>> = {
  'a trust root that nobody signed': {
    step: 'root',
    change: at('/root/1.json', (text) => text.replace('"expires":"2', '"expires":"3')),
  },
  'another key of the log': {
    step: 'log-key',
    change: at('/config.json', (text) => text.replace(/"vkey":"[^"]*"/, '"vkey":"another"')),
  },
  'a checkpoint that nobody signed': {
    step: 'checkpoint',
    change: at('/log/checkpoint', (text) =>
      text.replace(/^\d+$/m, (size) => `${Number(size) + 1}`),
    ),
  },
  'a path to another root': {
    step: 'inclusion',
    change: at('/release.tlog-proof', (text) => text.replace(/^index \d+$/m, 'index 0')),
  },
  'another entry': {
    step: 'inclusion',
    change: at('/entry', (text) => text.replace(/"digest":"sha256:./, '"digest":"sha256:f')),
  },
  'another statement of the registry': { step: 'entry', change: at('/release.dsse', altered) },
  'another manifest': {
    step: 'manifest',
    change: at('/manifest.json', (text) => text.replace(/"nonce":"../, '"nonce":"ff')),
  },
  'another signature': {
    step: 'signature',
    change: at('/model.sig', (text) => text.replace(/"payload":"ey/, '"payload":"eX')),
  },
  'another place of the signature': {
    step: 'signature',
    change: at('/model-sig.tlog-proof', (text) => text.replace(/^index \d+$/m, 'index 1')),
  },
  'other decisions': {
    step: 'gate',
    change: at('/decisions.json', (text) => text.replace(/"salt":"../, '"salt":"00')),
  },
  'another verdict': { step: 'gate', change: at('/verdict.dsse', altered) },
  'another intent': { step: 'gate', change: at('/intent.dsse', altered) },
  'a head without advisories': {
    step: 'freshness',
    change: at('/head', (text) => text.replace(/"advisories":\[.+\]/s, '"advisories":[]')),
  },
};

/** An answer of before, again. */
export function replayed(end: string, before: Uint8Array): Change {
  return (path) => (path.endsWith(end) ? before : undefined);
}

/** A second log under the same key, whose first entry is another. */
export async function forkOf(served: Served): Promise<Change> {
  const { checkpoint, entries } = await logOf(served);
  const first = utf8(parseUtf8(entries[0]!).replace('"time":"2', '"time":"1'));
  const { edge, files } = grow(nodeHost, emptyEdge(nodeHost), [first, ...entries.slice(1)]);
  const trust = await LiveTrust.open({
    store: served.store,
    host: nodeHost,
    keysDirectory: join(served.folder, 'keys'),
    passphrase: undefined,
  });
  const head = { ...checkpoint, root: edge.root };
  const note = signCheckpoint(head, trust.logKeys.map(noteSigner));
  return (path) => {
    if (path === '/log/checkpoint') return note;
    return files.find((file) => path === `/log/${file.path}`)?.bytes;
  };
}

async function logOf(served: Served) {
  const { size } = await served.log.published();
  const response = await served.fetch('/log/checkpoint');
  const note = new Uint8Array(await response.arrayBuffer());
  const checkpoint = parseCheckpoint(parseNote(note).text);
  if (checkpoint.size !== size) throw new Error(`the log grew: ${formatBase64(note)}`);
  return { checkpoint, entries: await served.log.entries(0, size) };
}
