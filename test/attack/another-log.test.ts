/**
 * What is signed for another log, or proved of another entry, says nothing about this release,
 * though the very same key signed it: at pull, at verify and at audit (CVE-2026-22703).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { parseCheckpoint, signCheckpoint } from '../../src/core/log/checkpoint.ts';
import { formatTlogProof, parseTlogProof } from '../../src/core/log/tlog-proof.ts';
import { noteSigner, parseNote } from '../../src/core/note/note.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { formatBundle, parseBundle } from '../../src/core/statement/bundle.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { Audited } from '../made/audited.ts';
import { pinnedReader } from '../made/reader.ts';
import { MadeRegistry } from '../made/registry.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const ASKED = parseReference('acme/tiny@v1');
const REFUSED = /^(?:untrusted|signature-invalid|proof-invalid|digest-mismatch)$/;

const pool = new HashingPool({ threads: 1 });
let served: ServedRegistry;
let reader: Reader;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-another-'));
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
  served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
  reader = await pinnedReader(served);
});
afterEach(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => pool.close());

/** The same tree under another origin, signed with the key of this log. */
function renamed(made: MadeRegistry, note: Uint8Array): Uint8Array {
  const { size, root } = parseCheckpoint(parseNote(note).text);
  return signCheckpoint({ origin: 'other.example.org', size, root }, [noteSigner(made.logKey)]);
}

type Forgery = readonly [name: string, forge: (made: MadeRegistry) => Uint8Array];

/** Documents of the release in which something is another log's, or another entry's. */
const FORGERIES: readonly Forgery[] = [
  ['release.tlog-proof', (made) => inAnotherLog(made, 'releaseProof')],
  ['model-sig.tlog-proof', (made) => inAnotherLog(made, 'recordProof')],
  [
    'model.sig',
    (made) => {
      const bundle = parseBundle(made.documents('acme/tiny@v1').modelSig);
      const checkpoint = parseUtf8(renamed(made, utf8(bundle.proof.checkpoint)));
      return formatBundle({ ...bundle, proof: { ...bundle.proof, checkpoint } });
    },
  ],
  ['release.tlog-proof', (made) => made.documents('acme/tiny@v2').releaseProof],
  ['release.tlog-proof', (made) => made.documents('acme/tiny@v1').recordProof],
  ['model-sig.tlog-proof', (made) => made.documents('acme/tiny@v2').recordProof],
  ['model.sig', (made) => made.documents('acme/tiny@v2').modelSig],
  [
    'model.sig',
    (made) => {
      // The envelope of this release, with the good proof of the other's record.
      const [mine, other] = ['v1', 'v2'].map((version) =>
        parseBundle(made.documents(`acme/tiny@${version}`).modelSig),
      );
      return formatBundle({ ...mine!, proof: other!.proof });
    },
  ],
  ['release.dsse', (made) => made.documents('acme/tiny@v2').releaseDsse],
  ['entry', (made) => made.documents('acme/tiny@v2').entry],
  ['manifest.json', (made) => made.documents('acme/tiny@v2').manifest],
];

function inAnotherLog(made: MadeRegistry, which: 'releaseProof' | 'recordProof'): Uint8Array {
  const proof = parseTlogProof(made.documents('acme/tiny@v1')[which]);
  return formatTlogProof({ ...proof, checkpoint: renamed(made, proof.checkpoint) });
}

const CASES = FORGERIES.map(([name, forge], i) => [name, i, forge] as const);

describe('a pull', () => {
  test.each(CASES)('is refused with a %s that is another’s (%i)', async (name, _, forge) => {
    served.tamper = (path, bytes) => (path.endsWith(`v1/${name}`) ? forge(served.made) : bytes);
    const pulling = pull(reader, pool, ASKED, folder);
    await expect(pulling).rejects.toMatchObject({ code: expect.stringMatching(REFUSED) });
  });

  test('is refused with a checkpoint, or freshness, of another log', async () => {
    served.tamper = (path, bytes) =>
      path === '/log/checkpoint' ? renamed(served.made, bytes) : bytes;
    await expect(pull(reader, pool, ASKED, folder)).rejects.toThrowWithCode('untrusted');
    served.tamper = (path, bytes) => {
      if (!path.endsWith('/head')) return bytes;
      const answer = JSON.parse(parseUtf8(bytes));
      const proof = parseTlogProof(utf8(answer.proof));
      const moved = formatTlogProof({
        ...proof,
        checkpoint: renamed(served.made, proof.checkpoint),
      });
      return utf8(JSON.stringify({ ...answer, proof: parseUtf8(moved) }));
    };
    await expect(pull(reader, pool, ASKED, folder)).rejects.toThrowWithCode('untrusted');
  });
});

describe('a second log under the same keys', () => {
  test('does not show its release beside the freshness of the first', async () => {
    const twin = Object.assign(new MadeRegistry(), {
      owner: served.made.owner,
      releaseKey: served.made.releaseKey,
    });
    twin.namespace('acme');
    twin.heads();
    twin.publish('acme/tiny@v1', { 'config.json': utf8('{"twin":true}') });
    twin.heads();
    const documents = twin.documents('acme/tiny@v1');
    const shown: Record<string, Uint8Array> = {
      'manifest.json': documents.manifest,
      'model.sig': documents.modelSig,
      'release.dsse': documents.releaseDsse,
      'release.tlog-proof': documents.releaseProof,
      'model-sig.tlog-proof': documents.recordProof,
      entry: documents.entry,
    };
    served.tamper = (path, bytes) => shown[path.split('tiny/v1/')[1] ?? ''] ?? bytes;
    await expect(pull(reader, pool, ASKED, folder)).rejects.toThrowWithCode('fork');
  });
});

describe('a record', () => {
  test('that lies anywhere but right behind its release is none', async () => {
    const { made } = served;
    const documents = made.documents('acme/tiny@v1');
    const record = parseTlogProof(documents.recordProof).index;
    const elsewhere = made.append(made.entries[record]!);
    served.heads();
    // The same leaf, well proved, at another place.
    served.tamper = (path, bytes) =>
      path.endsWith('v1/model-sig.tlog-proof') ? made.proof(elsewhere) : bytes;
    await expect(pull(reader, pool, ASKED, folder)).rejects.toThrowWithCode('proof-invalid');
  });
});

describe('a folder', () => {
  test.each(CASES)('is refused with a %s that is another’s (%i)', async (name, _, forge) => {
    await pull(reader, pool, ASKED, folder);
    const place = name === 'model.sig' ? name : join('.weighhouse', name);
    await writeFile(join(folder, place), forge(served.made));
    // Another log's origin is refused before there is anything to judge.
    const verifying = verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder);
    const verdict = await verifying.catch((error: unknown) => error);
    expect(verdict).not.toMatchObject({ ok: true });
    expect(verdict).toMatchObject({ code: expect.stringMatching(REFUSED) });
  });
});

describe('an audit', () => {
  test('is not begun with a checkpoint of another log', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) =>
      path === '/log/checkpoint' ? renamed(audited.made, bytes) : bytes;
    await expect(audited.audit()).rejects.toThrowWithCode('untrusted');
  });

  test.each(['model.sig', 'release.dsse', 'manifest.json'])(
    'finds a %s that is another release’s',
    async (name) => {
      const audited = Audited.small();
      const honest = new Map<string, Uint8Array>();
      audited.tamper = (path, bytes) => honest.set(path, bytes) && bytes;
      await audited.audit();
      audited.tamper = (path, bytes) =>
        path.endsWith(`v1/${name}`) ? honest.get(path.replace('tiny/v1/', 'tiny/v2/'))! : bytes;
      const { violations } = await audited.audit();
      expect(violations).toMatchObject([{ index: 2, code: expect.stringMatching(REFUSED) }]);
    },
  );
});
