/**
 * The thinnest server that a client can pull a release from: nginx, with the registry's own
 * documents and headers written down beforehand, and the files from the disk. It checks nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An answer that nginx gives: of a file on the disk, or of what the registry answers now. */
export interface Stubbed {
  /** Path and query, as clients send it. */
  readonly path: string;
  /** The file with the bytes; by default the registry's answer is saved. */
  readonly file?: string;
}

/** Headers without which clients stop. */
const KEPT = [
  ...['etag', 'x-repo-commit', 'x-linked-size', 'x-linked-etag'],
  ...['docker-content-digest', 'content-type'],
];

/** A `server` block that answers as the registry at `url` does. What has to be saved lies below `folder`. */
export async function stubOf(
  url: string,
  folder: string,
  stubbed: readonly Stubbed[],
): Promise<string> {
  const locations = stubbed.map(async ({ path, file }, number) => {
    const response = await fetch(url + path, { method: file === undefined ? 'GET' : 'HEAD' });
    if (!response.ok) throw new Error(`${path} is answered with ${response.status}`);
    const saved = file ?? join(folder, String(number));
    if (file === undefined) {
      mkdirSync(dirname(saved), { recursive: true });
      writeFileSync(saved, Buffer.from(await response.arrayBuffer()));
    }
    const headers = KEPT.flatMap((name) => {
      const value = response.headers.get(name);
      if (value === null) return [];
      if (name === 'content-type') return [`types { } default_type ${JSON.stringify(value)};`];
      return [`add_header ${name} ${JSON.stringify(value)};`];
    });
    const [location] = path.split('?');
    // A folder has no bytes of its own that nginx could send.
    const bytes = path.endsWith('/') ? 'return 200;' : `alias ${saved};`;
    return `location = ${location} { ${bytes} etag off; ${headers.join(' ')} }`;
  });
  return (await Promise.all(locations)).join('\n');
}
