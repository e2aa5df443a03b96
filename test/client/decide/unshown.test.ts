import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Api } from '../../../src/client/api.ts';
import { checkReceipt } from '../../../src/client/decide/check.ts';
import { decide } from '../../../src/client/decide/decide.ts';
import { findUnshown } from '../../../src/client/decide/unshown.ts';
import type { Receipt } from '../../../src/client/receipts.ts';
import { formatBase64, parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { CodedError } from '../../../src/core/error.ts';
import { formatHead } from '../../../src/core/log/heads.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { parseTlogProof } from '../../../src/core/log/tlog-proof.ts';
import { openProof } from '../../../src/core/verify/logged.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeDesk, meansAt, RELEASE, signerOf } from '../../made/desk.ts';
import { makeKey } from '../../made/p256.ts';

const NAME = 'acme/kimi-k2@v1.0';
const OTHER = 'acme/kimi-k2@v0.9';

let desk: MadeDesk;
let receipt: Receipt;
beforeEach(async () => {
  desk = new MadeDesk();
  const wish = { release: RELEASE, said: { decision: 'approve' }, named: desk.sealed } as const;
  receipt = await decide(
    meansAt(desk),
    signerOf(makeKey()),
    { ...wish, lasts: 60 },
    async () => {},
  );
  desk.made.namespace('acme');
});

const missing = async () => {
  throw new CodedError('not-found', 'nothing is there');
};
const refused = async () => {
  throw new CodedError('not-authorised', 'not for you');
};

/** A registry that shows no release, and says that of the draft and of its newest release. */
async function check(status: () => Promise<object>, newest?: number) {
  const releases = newest === undefined ? {} : { 'kimi-k2': newest };
  const head = formatHead({ v: 1, namespace: 'acme', policy: 1, releases, advisories: [] });
  const api = {
    draftStatus: status,
    freshness: async () => ({ head: formatBase64(head) }),
  } as unknown as Api;
  const log = await desk.log();
  const unshown = await findUnshown({ api }, log, RELEASE, undefined);
  return checkReceipt(meansAt(desk), log, unshown, receipt);
}

describe('a receipt of what no release is shown of', () => {
  test('is in the log, and not published as far as anybody says', async () => {
    for (const status of [missing, refused, async () => ({ state: 'sealed' })]) {
      expect(await check(status)).toMatchObject({ state: 'logged' });
    }
  });

  test('is of a withdrawn draft, where the registry says so', async () => {
    const withdrawn = await check(async () => ({ state: 'withdrawn' }));
    expect(withdrawn).toMatchObject({ state: 'withdrawn' });
    expect(withdrawn.evidence).toBeUndefined();
  });

  test.each(['by the namespace’s head', 'by the draft’s own status'])(
    'is denied where the log has the release, found %s, with the proof',
    async (way) => {
      const index = desk.made.publish(NAME, { 'w.bin': utf8('weights') });
      const status = async () => ({ state: 'published', index });
      const found = way.includes('head') ? await check(refused, index) : await check(status);
      expect(found).toMatchObject({ state: 'denied' });
      const { release } = found.evidence as { release: { proof: string; entry: string } };
      const entry = desk.made.entries[index]!;
      expect(release.entry).toBe(formatBase64(entry));
      expect(parseUtf8(entry)).toContain(NAME);
      const proof = parseTlogProof(utf8(release.proof));
      const leaf = leafHash(nodeHost, entry);
      expect(openProof(nodeHost, desk.made.root, proof, leaf)).toMatchObject({ ok: true });
    },
  );

  test('is not denied because another version is published, or one that came after the look', async () => {
    const index = desk.made.publish(OTHER, { 'w.bin': utf8('weights') });
    expect(await check(missing, index)).toMatchObject({ state: 'logged' });
    const later = desk.made.entries.length + 5;
    expect(await check(missing, later)).toMatchObject({ state: 'logged' });
  });

  test('says nothing where the registry cannot be reached', async () => {
    const network = async () => {
      throw new CodedError('network', 'it does not answer');
    };
    await expect(check(network)).rejects.toThrowWithCode('network');
  });
});
