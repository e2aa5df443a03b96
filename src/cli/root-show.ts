/** `root show`: the newest root of a registry, a root.json, or a proposal. */
import { readFile } from 'node:fs/promises';
import { newestRoot, pinOf } from '../client/trust.ts';
import { parseUtf8 } from '../core/bytes.ts';
import { digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { parseProposal } from '../core/trust/proposal.ts';
import { parseRoot, type RootDocument } from '../core/trust/root.ts';
import { nodeHost } from '../hashing/host.ts';
import { openStore } from '../open-store.ts';
import { readStoredRoot } from '../operator/stored-root.ts';
import type { Context, SharedFlags } from './context.ts';
import { openReader } from './reach.ts';
import { describeChange, describeRoot, rootToJson } from './root-text.ts';

interface ShowFlags extends SharedFlags {
  readonly store?: string;
}

export async function showRoot(context: Context, flags: ShowFlags, file?: string): Promise<void> {
  if (file !== undefined) return showFile(context, file);
  const { root, fingerprint } = await readNewest(context, flags.store);
  context.output.result({ fingerprint, ...rootToJson(root) }, [
    `fingerprint  ${fingerprint}`,
    ...describeRoot(root),
  ]);
}

async function readNewest(
  context: Context,
  address: string | undefined,
): Promise<{ root: RootDocument; fingerprint: string }> {
  if (address === undefined) {
    const { host, api, pins } = await openReader(context);
    const { signal } = context;
    const pin = await pinOf(api, pins, signal);
    const { root } = await newestRoot(host, pins, pin, (n) => api.root(n, { signal }));
    return { root, fingerprint: pin.fingerprint };
  }
  const store = await openStore(address);
  try {
    const { root, first } = await readStoredRoot(nodeHost, store);
    return { root, fingerprint: digestOf(nodeHost, first) };
  } finally {
    await store.close();
  }
}

/** Nothing in a file is believed; it is only shown. */
async function showFile({ output }: Context, path: string): Promise<void> {
  const bytes = new Uint8Array(
    await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new CodedError('not-found', `${path} cannot be read (${error.code})`);
    }),
  );
  if (!parseUtf8(bytes, path).startsWith('{"before":')) {
    const { document } = parseRoot(nodeHost, bytes, path);
    output.result(rootToJson(document), describeRoot(document));
    return;
  }
  const { before, document } = parseProposal(nodeHost, bytes, path);
  const changes = describeChange(parseRoot(nodeHost, before).document, document);
  output.result({ ...rootToJson(document), changes }, [...changes, ...describeRoot(document)]);
}
