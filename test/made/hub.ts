/**
 * A repository at a Hugging Face hub, in the shapes that the hub was seen to answer with: a tree
 * in pages, small files named as Git does, large ones by SHA-256 and sent from another host.
 */
import { createHash } from 'node:crypto';
import type { Stranger } from './stranger.ts';

export const MODEL = 'Openai/Whisper_Tiny.v2';
export const COMMIT = 'c0'.repeat(20);

export interface HubOptions {
  readonly id?: string;
  /** Entries of a page of the tree. */
  readonly page?: number;
  /** Where the bytes of large files are. */
  readonly away?: Stranger;
}

/** Lets `hub` answer for the files; those that end in `.safetensors` are large. */
export function fillHub(
  hub: Stranger,
  files: Readonly<Record<string, Uint8Array>>,
  { id = MODEL, page = 1_000, away = hub }: HubOptions = {},
): void {
  hub.json(`/api/models/${id}/revision/main`, { _id: 'x', id, modelId: id, sha: COMMIT, tags: [] });
  hub.json(`/api/models/${id}/revision/${COMMIT}`, { id, sha: COMMIT });
  const paths = Object.keys(files);
  const folders = new Set(paths.flatMap((path) => path.match(/^.+(?=\/)/) ?? []));
  const entries = [
    ...[...folders].map((path) => ({ type: 'directory', path, size: 0, oid: COMMIT })),
    ...paths.map((path) => treeEntry(path, files[path]!)),
  ];
  const tree = `/api/models/${id}/tree/${COMMIT}`;
  hub.answers.set(tree, (request, response) => {
    const cursor = Number(new URL(request.url!, hub.url).searchParams.get('cursor') ?? 0);
    const next = `${hub.url}${tree}?recursive=true&cursor=${cursor + page}`;
    const headers = cursor + page < entries.length ? { link: `<${next}>; rel="next"` } : undefined;
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(entries.slice(cursor, cursor + page)));
  });
  for (const path of paths) {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const resolve = `/${id}/resolve/${COMMIT}/${encoded}`;
    const isLarge = path.endsWith('.safetensors');
    const place = isLarge ? `/cas/${sha256(files[path]!)}` : `/api/resolve-cache/${encoded}`;
    hub.redirect(resolve, isLarge ? `${away.url}${place}?Signature=s3cret` : place, 307);
    (isLarge ? away : hub).content(place, files[path]!);
  }
}

/** A file of a tree as the hub lists it. */
export function treeEntry(path: string, bytes: Uint8Array) {
  const size = bytes.length;
  if (path.endsWith('.safetensors')) {
    const lfs = { oid: sha256(bytes), size, pointerSize: 130 };
    return { type: 'file', oid: 'ee'.repeat(20), size, path, lfs, xetHash: 'aa'.repeat(32) };
  }
  const oid = createHash('sha1').update(`blob ${size}\0`).update(bytes).digest('hex');
  return { type: 'file', oid, size, path };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
