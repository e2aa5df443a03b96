/**
 * A root on its way to the holders of its keys, in one file (`root propose`, `root sign`,
 * `root publish`). It holds the version before, so that a holder's machine, which need not
 * have a network, can say what would change. Canonical JSON:
 *
 *     {"v":1,
 *      "before":{"signatures":[…],"signed":{…}},   root.json as it is now, verbatim
 *      "compromised":false,                        may it end a release key before now?
 *      "signatures":[{"keyid":ID,"sig":BASE64}],   those gathered so far
 *      "signed":{"_type":"root","v":1,"version":2,…}}
 *
 * Nothing in it is believed: the registry checks the finished root as every client does.
 */
import * as v from 'valibot';
import { formatBase64, parseBase64 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatCanonical, type Json, type JsonLimits, parseCanonical } from '../json.ts';
import { base64, hex32, parseShape } from '../shape.ts';
import { keyId, type Spki } from '../statement/public-key.ts';
import { MAX_SIGNATURE_BYTES } from '../statement/signature.ts';
import type { Authority } from './change.ts';
import {
  formatRoot,
  MAX_ROOT_KEYS,
  parseRoot,
  parseRootToSign,
  ROOT_LIMITS,
  type RootDocument,
  type RootSignature,
  rootToSign,
} from './root.ts';

export interface RootProposal {
  /** root.json as it is now, exact bytes. */
  readonly before: Uint8Array;
  readonly document: RootDocument;
  /** May releases that are logged by now be believed no more? */
  readonly compromised: boolean;
  readonly signatures: readonly RootSignature[];
}

const LIMITS: JsonLimits = {
  maxBytes: 2 * ROOT_LIMITS.maxBytes,
  maxDepth: ROOT_LIMITS.maxDepth + 1,
};

const proposalShape = v.strictObject({
  v: v.literal(1),
  before: v.unknown(),
  compromised: v.boolean(),
  signatures: v.pipe(
    v.array(v.strictObject({ keyid: hex32, sig: base64(MAX_SIGNATURE_BYTES) })),
    v.maxLength(2 * MAX_ROOT_KEYS),
  ),
  signed: v.unknown(),
});

/** The bytes of a proposal. */
export function formatProposal(host: Host, proposal: RootProposal): Uint8Array {
  const { before, document, compromised, signatures } = proposal;
  return formatCanonical({
    v: 1,
    before: parseCanonical(before, 'root.json', ROOT_LIMITS),
    compromised,
    signatures: signatures.map(({ keyId: keyid, signature }) => ({
      keyid,
      sig: formatBase64(signature),
    })),
    signed: parseCanonical(rootToSign(host, document), 'root.json', ROOT_LIMITS),
  });
}

/** Parses a proposal. Throws `bad-json`, `bad-document` or what `parseRoot` throws. */
export function parseProposal(host: Host, bytes: Uint8Array, what: string): RootProposal {
  const json = parseShape(proposalShape, parseCanonical(bytes, what, LIMITS), what);
  const before = formatCanonical(json.before as Json);
  const document = parseRootToSign(host, formatCanonical(json.signed as Json), what);
  const version = parseRoot(host, before, `${what}, before`).document.version + 1;
  if (document.version !== version) {
    throw new CodedError('bad-document', `${what}: version ${version} must follow in it`);
  }
  const signatures = json.signatures.map(({ keyid, sig }) => ({
    keyId: keyid,
    signature: parseBase64(sig),
  }));
  return { before, document, compromised: json.compromised, signatures };
}

/** The proposal with one more signature; that of the same key, if there is one, goes. */
export function addSignature(proposal: RootProposal, added: RootSignature): RootProposal {
  const others = proposal.signatures.filter(({ keyId: id }) => id !== added.keyId);
  return { ...proposal, signatures: [...others, added] };
}

/** Signatures that were gathered apart, together. Throws `conflict` unless all are of one root. */
export function mergeProposals(host: Host, proposals: readonly RootProposal[]): RootProposal {
  const [first, ...others] = proposals;
  if (first === undefined) throw new CodedError('usage', 'there is no proposal to publish');
  const text = (proposal: RootProposal) =>
    String(formatProposal(host, { ...proposal, signatures: [] }));
  return others.reduce((merged, other) => {
    if (text(merged) !== text(other)) {
      throw new CodedError('conflict', 'the files are proposals of different roots');
    }
    return other.signatures.reduce(addSignature, merged);
  }, first);
}

/** root.json, with the signatures that the proposal has. Throws `untrusted` while it has none. */
export function rootOfProposal(host: Host, { document, signatures }: RootProposal): Uint8Array {
  if (signatures.length > 0) return formatRoot(host, { document, signatures });
  throw new CodedError('untrusted', 'nobody has signed the proposal yet: "weighhouse root sign"');
}

/** How many signatures an authority still lacks. */
export function missingSignatures(
  host: Host,
  { keys, threshold }: Authority,
  signers: readonly string[],
): number {
  const has = (spki: Spki) => signers.includes(keyId(host, spki));
  return Math.max(0, threshold - keys.filter(has).length);
}
