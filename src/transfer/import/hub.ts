/**
 * A repository that speaks the Hugging Face hub's API: the hub itself, a mirror, a Weighhouse.
 * The revision is turned into a commit first; everything after that is read at the commit.
 *
 *     GET /api/models/{id}/revision/{rev}             sha: the commit
 *     GET /api/models/{id}/tree/{sha}?recursive=true  the files, page after page
 *     GET /{id}/resolve/{sha}/{path}                  the bytes
 *
 * The tree names large files by SHA-256 (`lfs.oid`), small ones as Git does (`oid`).
 */
import * as v from 'valibot';
import { CodedError } from '../../core/error.ts';
import { parseSource } from '../../core/release/source.ts';
import { count } from '../../core/shape.ts';
import type { Selection } from '../glob.ts';
import type { HubAddress } from './address.ts';
import type { Remote } from './remote.ts';
import { type ListedFile, requireFewFiles, type Snapshot, selectFiles } from './snapshot.ts';

/** Where the hub is, unless somebody says otherwise. */
export const HUB_ENDPOINT = 'https://huggingface.co';
/** Pages of a tree; the hub puts up to 1,000 entries on one. */
export const MAX_TREE_PAGES = 2_000;
/** Bytes of one answer: the description of a model may list 100,000 files. */
const MAX_INFO_BYTES = 64 * 2 ** 20;
const MAX_PAGE_BYTES = 16 * 2 ** 20;

const infoShape = v.object({
  sha: v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a commit')),
});

const pageShape = v.array(
  v.object({
    type: v.string(),
    path: v.pipe(v.string(), v.maxLength(4_096)),
    size: v.optional(count),
    oid: v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a Git object')),
    lfs: v.nullish(
      v.object({
        oid: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256')),
        size: count,
      }),
    ),
  }),
);
type TreeEntry = v.InferOutput<typeof pageShape>[number];

/** The files of the repository at its revision, as it stands now. `endpoint` has no slash at its end. */
export async function openHub(
  remote: Remote,
  endpoint: string,
  { id, revision }: HubAddress,
  selection: Selection,
): Promise<Snapshot> {
  const url = `${endpoint}/${id}`;
  const commit = await commitOf(remote, `${endpoint}/api/models/${id}`, revision);
  const source = parseSource({ url, revision: commit });
  const files: ListedFile[] = [];
  for await (const entry of readTree(remote, `${endpoint}/api/models/${id}/tree/${commit}`)) {
    if (entry.type !== 'file') continue;
    files.push(listed(entry, `${url}/resolve/${commit}`));
    requireFewFiles(files.length);
  }
  return { source, remote, ...selectFiles(files, selection) };
}

async function commitOf(remote: Remote, model: string, revision: string): Promise<string> {
  // As Python's client sends it: nothing is safe, not even the slashes of refs/pr/1.
  const url = `${model}/revision/${encodeURIComponent(revision)}`;
  const { value } = await remote.json(infoShape, url, { maxBytes: MAX_INFO_BYTES });
  if (!/^[0-9a-f]{40,64}$/.test(revision) || value.sha.startsWith(revision)) return value.sha;
  throw new CodedError(
    'digest-mismatch',
    `${url} answers with the commit ${value.sha}, which was not asked for; import from elsewhere`,
  );
}

async function* readTree(remote: Remote, tree: string): AsyncGenerator<TreeEntry> {
  const seen = new Set<string>();
  let url: string | undefined = `${tree}?recursive=true`;
  while (url !== undefined) {
    if (seen.has(url)) throw new CodedError('bad-document', `the pages of ${tree} go in a circle`);
    if (seen.size === MAX_TREE_PAGES) {
      throw new CodedError('too-large', `${tree} has more than ${MAX_TREE_PAGES} pages`);
    }
    seen.add(url);
    const page = await remote.json(pageShape, url, { maxBytes: MAX_PAGE_BYTES });
    yield* page.value;
    url = nextPage(page.headers.get('link'), url);
  }
}

/** The target of `<…>; rel="next"` (RFC 8288), which must be at the same host. */
function nextPage(link: string | null, url: string): string | undefined {
  const target = /<([^<>]*)>\s*;\s*rel="?next"?(?:[\s;,]|$)/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const next = URL.canParse(target, url) ? new URL(target, url) : undefined;
  if (next?.origin === new URL(url).origin) return next.href;
  throw new CodedError('bad-document', `the next page after ${url} is at another host`);
}

function listed({ path, oid, size, lfs }: TreeEntry, resolve: string): ListedFile {
  if (size === undefined || (lfs && lfs.size !== size)) {
    throw new CodedError('bad-document', `the source says of ${path} two sizes, or none`);
  }
  const url = `${resolve}/${path.split('/').map(encodeURIComponent).join('/')}`;
  const name = lfs ? { form: 'sha256', hex: lfs.oid } : { form: 'git', hex: oid };
  return { path, size, url, name } as ListedFile;
}
