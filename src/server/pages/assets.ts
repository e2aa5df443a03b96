/**
 * What pages are drawn with: the style sheet and the icon, which lie beside this file, and the
 * scripts, which `npm run build` bundles into `dist/browser`, with the same in Brotli beside each.
 * An asset's address carries the digest of its bytes, so that it can be kept for ever and is never
 * an old one. Browsers take Brotli over https and from this machine; whoever does not gets gzip.
 */
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Request, type Response, Router } from 'express';
import { CodedError } from '../../core/error.ts';
import { named } from '../request-log.ts';
import { OWN_PAGES } from './addresses.ts';
import { setPageHeaders } from './headers.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const IMMUTABLE = 'public, max-age=31536000, immutable';
const REVALIDATE = 'public, max-age=0, must-revalidate';

interface Asset {
  readonly bytes: Buffer;
  /** The same for who takes Brotli, where the build has made that. */
  readonly brotli: Buffer | undefined;
  /** The same for who takes gzip, made when somebody first asks. */
  readonly gzipped: () => Buffer;
  readonly type: string;
  /** Of its bytes, in part. */
  readonly digest: string;
}

export class Assets {
  readonly #assets: ReadonlyMap<string, Asset>;

  private constructor(assets: ReadonlyMap<string, Asset>) {
    this.#assets = assets;
  }

  /** Reads all that lies in `folders`; one that is not there has nothing: pages work without scripts. */
  static read(folders: readonly URL[]): Assets {
    const assets = folders.flatMap((folder) =>
      namesIn(folder).map((name) => [name, assetOf(folder, name)] as const),
    );
    return new Assets(new Map(assets));
  }

  /** Its address. */
  readonly address = (name: string): string => {
    const asset = this.#assets.get(name);
    return `${OWN_PAGES}/assets/${name}${asset === undefined ? '' : `?${asset.digest}`}`;
  };

  router(): Router {
    const router = Router({ caseSensitive: true });
    const path = `${OWN_PAGES}/assets/:name`;
    router.get(
      path,
      named(`${OWN_PAGES}/assets/{name}`),
      (request: Request, response: Response) => {
        const name = String(request.params.name);
        const asset = this.#assets.get(name);
        if (asset === undefined) throw new CodedError('not-found', `there is no asset ${name}`);
        setPageHeaders(response);
        const isThisOne = request.originalUrl === this.address(name);
        response.set('Cache-Control', isThisOne ? IMMUTABLE : REVALIDATE);
        const { coding, bytes } = encodedFor(request, asset);
        response.vary('Accept-Encoding').type(asset.type);
        if (coding !== undefined) response.set('Content-Encoding', coding);
        response.send(bytes);
      },
    );
    return router;
  }
}

/** Those of this program, from its sources or as it was built. */
export function ownAssets(): Assets {
  const beside = new URL('./assets/', import.meta.url);
  const isBuilt = extname(import.meta.url) === '.js';
  const browser = new URL(isBuilt ? '../../browser/' : '../../../dist/browser/', import.meta.url);
  return Assets.read([beside, browser]);
}

function namesIn(folder: URL): string[] {
  try {
    return readdirSync(folder).filter((name) => extname(name) in TYPES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** In the smallest form that whoever asks takes, whichever of them they name first. */
function encodedFor(request: Request, { bytes, brotli, gzipped }: Asset) {
  if (brotli !== undefined && request.acceptsEncodings('br') !== false) {
    return { coding: 'br', bytes: brotli };
  }
  const isGzipped = request.acceptsEncodings(['gzip', 'identity']) === 'gzip';
  return isGzipped ? { coding: 'gzip', bytes: gzipped() } : { coding: undefined, bytes };
}

function assetOf(folder: URL, name: string): Asset {
  const bytes = readFileSync(new URL(name, folder));
  const compressed = new URL(`${name}.br`, folder);
  let gzipped: Buffer | undefined;
  return {
    bytes,
    brotli: existsSync(compressed) ? readFileSync(compressed) : undefined,
    gzipped: () => {
      gzipped ??= gzipSync(bytes, { level: 9 });
      return gzipped;
    },
    type: TYPES[extname(name)]!,
    digest: hash('sha256', bytes, 'hex').slice(0, 16),
  };
}
