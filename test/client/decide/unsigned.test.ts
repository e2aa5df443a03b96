import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Draft, draftDecision, signEnvelope } from '../../../src/client/decide/decide.ts';
import { formatCarried, parseCarried } from '../../../src/client/decide/unsigned.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { parseJson } from '../../../src/core/json.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeDesk, meansAt, RELEASE, signerOf } from '../../made/desk.ts';
import { makeKey } from '../../made/p256.ts';

const signer = signerOf(makeKey());
const { spki } = signer;
let draft: Draft;
beforeAll(async () => {
  const said = { decision: 'approve' } as const;
  const wish = { release: RELEASE, said, named: undefined, lasts: 60 };
  draft = await draftDecision(meansAt(new MadeDesk()), spki, wish);
});

const read = (bytes: Uint8Array) => parseCarried(nodeHost, bytes, 'it');
/** The file with something changed in it. */
function changed(bytes: Uint8Array, change: (document: never) => void): Uint8Array {
  const document = parseJson(bytes, 'it') as never;
  change(document);
  return utf8(JSON.stringify(document));
}

describe('a decision that is carried to its key', () => {
  test('is read as it was written, before and after it is signed', async () => {
    expect(await read(formatCarried({ spki, draft }))).toEqual({ spki, draft });
    const envelope = await signEnvelope(signer, draft.decision);
    const signed = { spki, draft, envelope };
    expect(await read(formatCarried(signed))).toEqual(signed);
  });

  test('that shows another thing than what would be signed is refused', async () => {
    const bytes = changed(formatCarried({ spki, draft }), (it: { decision: object }) => {
      it.decision = { ...it.decision, decision: 'object', reason: 'No' };
    });
    await expect(read(bytes)).rejects.toMatchObject({ code: 'bad-document' });
  });

  test('that another key has signed is refused', async () => {
    const envelope = await signEnvelope(signerOf(makeKey()), draft.decision);
    const bytes = formatCarried({ spki, draft, envelope });
    await expect(read(bytes)).rejects.toMatchObject({ code: 'signature-invalid' });
  });

  test('whose envelope is of another decision is refused', async () => {
    const other = { ...draft.decision, decision: 'hold', reason: 'Wait' } as const;
    const envelope = await signEnvelope(signer, other as never);
    const bytes = formatCarried({ spki, draft, envelope });
    await expect(read(bytes)).rejects.toMatchObject({ code: 'bad-document' });
  });
});
