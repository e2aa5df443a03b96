/** The bytes of every format of the log, against the fixed files in `test/vectors/log`. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseUtf8 } from '../../../src/core/bytes.ts';
import { openCheckpoint, signCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { parseTilePath, type TilePath } from '../../../src/core/log/tile.ts';
import { openTileTree } from '../../../src/core/log/tile-tree.ts';
import {
  checkQuorum,
  formatTlogPolicy,
  parseTlogPolicy,
} from '../../../src/core/log/tlog-policy.ts';
import {
  formatTlogProof,
  openTlogProof,
  parseTlogProof,
} from '../../../src/core/log/tlog-proof.ts';
import { cosignatureSigner } from '../../../src/core/note/cosignature.ts';
import { signingKey } from '../../../src/core/note/key.ts';
import {
  addSignatures,
  formatNote,
  noteSigner,
  noteVerifier,
  parseNote,
  signNote,
} from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';
import { entryAt, makeLog } from './made-log.ts';

const vector = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../vectors/log/${name}`, import.meta.url)));

const log = signingKey(host, 'log.example', new Uint8Array(32).fill(1));
const witness = signingKey(host, 'witness.example/w1', new Uint8Array(32).fill(2), 4);
const { edge, files, read } = makeLog(260, [7]);
const policy = parseTlogPolicy(host, vector('policy'));
const trust = {
  origin: 'log.example',
  logVerifiers: policy.logs.map(({ key }) => noteVerifier(key)),
};

describe('the log of the vectors', () => {
  test('has the tiles that we write', () => {
    const paths = ['tile/0/000', 'tile/0/000.p/7', 'tile/0/001.p/4', 'tile/1/000.p/1'];
    const hashTiles = [...files.keys()].filter((path) => parseTilePath(path).level !== 'entries');
    expect(hashTiles.toSorted()).toEqual(paths);
    for (const path of paths) expect(files.get(path as TilePath)).toEqual(vector(path));
  });

  test('has the checkpoint and the cosignature that we sign', () => {
    const note = parseNote(signCheckpoint({ ...edge, origin: 'log.example' }, [noteSigner(log)]));
    const { signatures } = signNote(note.text, [cosignatureSigner(witness, 1_700_000_000)]);
    expect(formatNote(addSignatures(note, signatures))).toEqual(vector('checkpoint'));
  });

  test('has a checkpoint that opens, with its quorum', () => {
    const opened = openCheckpoint(vector('checkpoint'), trust.origin, trust.logVerifiers);
    if (!opened.ok) throw new Error(opened.message);
    expect(opened.checkpoint).toMatchObject({ size: 260, root: edge.root });
    expect(checkQuorum(policy, opened.note)).toMatchObject({
      ok: true,
      cosignatures: [{ name: 'witness.example/w1', time: 1_700_000_000 }],
    });
  });

  test('has the proof that we make and write, and it opens', async () => {
    const tree = await openTileTree(host, edge, read);
    const proof = parseTlogProof(vector('entry-3.tlog-proof'));
    expect(proof.hashes).toEqual(await tree.proveInclusion(3));
    expect(formatTlogProof(proof)).toEqual(vector('entry-3.tlog-proof'));
    const opened = openTlogProof(host, proof, leafHash(host, entryAt(3)), trust);
    expect(opened).toMatchObject({ ok: true, checkpoint: { size: 260 } });
  });

  test('has the policy that we write', () => {
    expect(parseUtf8(formatTlogPolicy(host, policy))).toBe(parseUtf8(vector('policy')));
  });
});
