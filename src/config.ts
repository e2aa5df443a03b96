/**
 * The only reader of the environment, but for what the AWS SDK reads by itself. Flags stand
 * over `WEIGHHOUSE_*` variables (and those of Hugging Face clients), those over the file `$XDG_CONFIG_HOME/weighhouse/config.json`:
 *
 *     {"url": "https://weights.example", "token": "…", "key": "/home/me/keys/me.key"}
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { CodedError } from './core/error.ts';
import { parseJson } from './core/json.ts';
import { parseShape } from './core/shape.ts';

/** How weights travel: between clients and the bucket, or through the server. */
export type BytesWay = 'direct' | 'through';

export interface Config {
  /** Where a person's pins, keys and unfinished pushes lie. */
  readonly directory: string;
  /** Where what can be made again is kept: the server's search index. */
  readonly cacheDirectory: string;
  readonly url: string | undefined;
  readonly token: string | undefined;
  /** What a CI system says of the job that this runs in. */
  readonly identityToken: string | undefined;
  /** Where Hugging Face clients find the hub, and what they show there. */
  readonly hubEndpoint: string | undefined;
  readonly hubToken: string | undefined;
  /** A personal key file. */
  readonly key: string | undefined;
  /** Opens encrypted key files. */
  readonly passphrase: string | undefined;
  readonly logLevel: string;
  /** An S3 server other than AWS; the SDK reads the rest of the AWS environment by itself. */
  readonly s3Endpoint: string | undefined;
  /** Where clients reach the S3 server, where that is another address than the server's own. */
  readonly bucketUrl: string | undefined;
  /** How weights travel; by default as the store allows. */
  readonly bytes: BytesWay | undefined;
  /** The file that says with which providers people sign in. */
  readonly signIn: string | undefined;
  /** True when output must not be coloured (https://no-color.org). */
  readonly noColor: boolean;
  /** True where a browser has a screen to be shown on. */
  readonly hasScreen: boolean;
  /** True when failures show where in the code they came from. */
  readonly debug: boolean;
}

const fileShape = v.strictObject({
  url: v.exactOptional(v.string()),
  token: v.exactOptional(v.string()),
  key: v.exactOptional(v.string()),
});

/** Reads the environment and the config file. Throws `usage` for a config file that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const directory = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'weighhouse');
  const file = readFile(join(directory, 'config.json'));
  return {
    directory,
    cacheDirectory: join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'weighhouse'),
    url: env.WEIGHHOUSE_URL || file.url,
    token: env.WEIGHHOUSE_TOKEN || file.token,
    identityToken: env.WEIGHHOUSE_OIDC_TOKEN || undefined,
    hubEndpoint: env.HF_ENDPOINT || undefined,
    hubToken: env.HF_TOKEN || undefined,
    key: env.WEIGHHOUSE_KEY || file.key,
    passphrase: env.WEIGHHOUSE_PASSPHRASE,
    logLevel: env.WEIGHHOUSE_LOG_LEVEL || 'info',
    s3Endpoint: env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL,
    bucketUrl: env.WEIGHHOUSE_BUCKET_URL || undefined,
    bytes: parseBytesWay(env.WEIGHHOUSE_BYTES || undefined, 'WEIGHHOUSE_BYTES'),
    signIn: env.WEIGHHOUSE_SIGN_IN || undefined,
    noColor: (env.NO_COLOR ?? '') !== '',
    hasScreen: hasScreen(env),
    debug: (env.WEIGHHOUSE_DEBUG ?? '') !== '',
  };
}

/** On other systems than Linux, only somebody at another machine has none. */
function hasScreen(env: NodeJS.ProcessEnv): boolean {
  if (process.platform !== 'linux') return (env.SSH_CONNECTION ?? '') === '';
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME);
}

/** Reads what `where` says. Throws `usage`. */
export function parseBytesWay(text: string | undefined, where: string): BytesWay | undefined {
  if (text === undefined || text === 'direct' || text === 'through') return text;
  throw new CodedError('usage', `${where} is "${text}": write direct or through`);
}

function readFile(path: string): v.InferOutput<typeof fileShape> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CodedError('usage', `${path} cannot be read: ${(error as Error).message}`);
  }
  return parseShape(fileShape, parseJson(bytes, path), path, 'usage');
}
