/**
 * What a person names as the source of an import:
 *
 *     hf://openai/whisper-tiny@v1.0         a repository that speaks the Hugging Face hub's API
 *     oci://ghcr.io/acme/tiny:1.0           an artifact at an OCI registry
 *     oci://ghcr.io/acme/tiny@sha256:…
 *     ./tiny                                a folder
 */
import { CodedError } from '../../core/error.ts';

export interface HubAddress {
  readonly kind: 'hub';
  /** `namespace/name`. */
  readonly id: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

export interface OciAddress {
  readonly kind: 'oci';
  /** With its port, where it has one. */
  readonly host: string;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly reference: string;
}

export interface FolderAddress {
  readonly kind: 'folder';
  readonly folder: string;
}

export type Address = HubAddress | OciAddress | FolderAddress;

/** Characters of an address of a repository. */
export const MAX_ADDRESS = 512;

const HUB = /^hf:\/\/([A-Za-z0-9_][\w.-]*\/[A-Za-z0-9_][\w.-]*)(?:@([\w./+-]+))?$/;
/** Names and tags as the distribution specification has them ("Pulling manifests"). */
const OCI_HOST = /^(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;
const OCI_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const OCI_REFERENCE = /^(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127})|@(sha256:[0-9a-f]{64}))?$/;

/** Parses what was typed; what has no scheme is a folder. Throws `usage`. */
export function parseAddress(text: string): Address {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return { kind: 'folder', folder: text };
  const address = text.length > MAX_ADDRESS ? undefined : (parseHub(text) ?? parseOci(text));
  if (address !== undefined) return address;
  throw new CodedError(
    'usage',
    `"${text.slice(0, 200)}" is no source of an import; give hf://NAMESPACE/NAME[@REVISION], oci://HOST/NAME[:TAG|@sha256:…] or a directory`,
  );
}

function parseHub(text: string): HubAddress | undefined {
  const [, id, revision = 'main'] = HUB.exec(text) ?? [];
  return id === undefined ? undefined : { kind: 'hub', id, revision };
}

function parseOci(text: string): OciAddress | undefined {
  if (!text.startsWith('oci://')) return undefined;
  const [host = '', ...segments] = text.slice('oci://'.length).split('/');
  // A colon or an @ of the last segment begins the tag or the digest.
  const last = segments.pop() ?? '';
  const cut = /[:@]/.exec(last)?.index ?? last.length;
  const names = [...segments, last.slice(0, cut)];
  const reference = OCI_REFERENCE.exec(last.slice(cut));
  if (reference === null || !OCI_HOST.test(host)) return undefined;
  if (!URL.canParse(`https://${host}`)) return undefined;
  if (!names.every((name) => OCI_NAME.test(name))) return undefined;
  return {
    kind: 'oci',
    host: host.toLowerCase(),
    repository: names.join('/'),
    reference: reference[1] ?? reference[2] ?? 'latest',
  };
}
