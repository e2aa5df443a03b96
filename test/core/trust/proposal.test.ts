import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { isCoded } from '../../../src/core/error.ts';
import { keyId } from '../../../src/core/statement/public-key.ts';
import {
  addSignature,
  formatProposal,
  mergeProposals,
  missingSignatures,
  parseProposal,
  type RootProposal,
  rootOfProposal,
} from '../../../src/core/trust/proposal.ts';
import { rootToSign } from '../../../src/core/trust/root.ts';
import { checkRoot, type TrustRoot } from '../../../src/core/trust/succession.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { type MadeKey, makeKey } from '../../made/p256.ts';
import { makeRootDocument, signRoot } from '../../made/trust-root.ts';

const [a, b, c] = [makeKey(), makeKey(), makeKey()];
const first = makeRootDocument([a, b, c], { threshold: 2 });
const proposal: RootProposal = {
  before: signRoot(first, [a, b]),
  document: { ...first, version: 2, maxAge: 60 },
  compromised: false,
  signatures: [],
};
const signed = (by: MadeKey, of = proposal) =>
  addSignature(of, {
    keyId: keyId(nodeHost, by.spki),
    signature: by.sign(rootToSign(nodeHost, of.document)),
  });
const parse = (bytes: Uint8Array) => parseProposal(nodeHost, bytes, 'next.json');

describe('a proposal', () => {
  test('reads back what was written, signed or not', () => {
    for (const each of [proposal, signed(a), signed(b, signed(a))]) {
      const bytes = formatProposal(nodeHost, each);
      expect(formatProposal(nodeHost, parse(bytes))).toEqual(bytes);
    }
  });

  test('becomes a root that is believed, whether it was signed in turn or in copies', async () => {
    const inTurn = signed(b, signed(a));
    const inCopies = mergeProposals(nodeHost, [signed(a), signed(b)]);
    for (const each of [inTurn, inCopies]) {
      const root = rootOfProposal(nodeHost, each);
      expect(await checkRoot(nodeHost, root, first as TrustRoot)).toMatchObject({ ok: true });
    }
  });

  test('is not believed with a signature too few', async () => {
    const root = rootOfProposal(nodeHost, signed(a));
    expect(await checkRoot(nodeHost, root, first as TrustRoot)).toMatchObject({ ok: false });
    expect(() => rootOfProposal(nodeHost, proposal)).toThrowWithCode('untrusted');
  });

  test('counts a key once, however often it signs', () => {
    const twice = signed(a, signed(a));
    expect(twice.signatures).toHaveLength(1);
    const missing = (...ids: string[]) => missingSignatures(nodeHost, first, ids);
    const [idA, idB] = [keyId(nodeHost, a.spki), keyId(nodeHost, b.spki)];
    expect([missing(), missing(idA), missing(idA, idA), missing(idA, idB)]).toEqual([2, 1, 1, 0]);
  });

  test('is not merged with one of another root, or with another purpose', () => {
    const others = [
      { ...proposal, document: { ...proposal.document, maxAge: 61 } },
      { ...proposal, compromised: true },
    ];
    for (const other of others) {
      expect(() => mergeProposals(nodeHost, [proposal, other])).toThrowWithCode('conflict');
    }
  });

  test('must be of the version that follows upon the one in it', () => {
    const text = parseUtf8(formatProposal(nodeHost, proposal));
    for (const version of ['1', '3']) {
      const changed = text.replace('"version":2', `"version":${version}`);
      expect(() => parse(utf8(changed))).toThrowWithCode('bad-document');
    }
  });

  test('with any one byte changed is no proposal, or makes no root that is believed', async () => {
    const bytes = formatProposal(nodeHost, signed(b, signed(a)));
    for (let at = 0; at < bytes.length; at += 3) {
      const bumped = bytes.slice();
      bumped[at]! ^= 1;
      expect({ at, harm: await harms(bumped) }).toEqual({ at, harm: false });
    }
  });
});

/** Would somebody believe another root than the one that was signed? */
async function harms(bytes: Uint8Array): Promise<boolean> {
  try {
    const changed = parse(bytes);
    const root = rootOfProposal(nodeHost, changed);
    const checked = await checkRoot(nodeHost, root, first as TrustRoot);
    return checked.ok && checked.root.maxAge !== proposal.document.maxAge;
  } catch (error) {
    if (isCoded(error)) return false;
    throw error;
  }
}
