/**
 * What a push looks at before it hashes or sends anything: which files there are, and
 * whether a registry would refuse them. The seal asks the same again, and decides; here it
 * is asked so that nobody uploads a terabyte to be told at the end.
 */
import type { Api } from '../client/api.ts';
import { interruption } from '../client/retry.ts';
import { parseBase64 } from '../core/bytes.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { inParallel } from '../core/parallel.ts';
import type { Namespace } from '../core/release/name.ts';
import { parsePolicy } from '../core/release/policy.ts';
import { type Format, isFormat } from '../core/weights/format.ts';
import { type Inspection, inspectRelease, refuseCode } from '../core/weights/inspect.ts';
import type { Selection } from './glob.ts';
import { inspectLocalFile } from './inspect-file.ts';
import { type Scan, scanFolder } from './scan.ts';

/** Files that are looked into at the same time. */
const PARALLEL = 16;

export interface PreviewOptions extends Selection {
  readonly signal?: AbortSignal | undefined;
}

export interface Preview {
  readonly scan: Scan;
  /** What is odd, or may yet be refused, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Looks at the files of `folder`, to be pushed into `namespace` of the registry that `api`
 * reaches, if any is meant. Throws `bad-path`, `bad-weights`, `code-carrying-format`, `usage` …
 */
export async function previewFolder(
  api: Api | undefined,
  folder: string,
  namespace: Namespace,
  options: PreviewOptions = {},
): Promise<Preview> {
  const { signal } = options;
  const scan = await scanFolder(folder, options);
  if (scan.files.length === 0) throw new CodedError('usage', `${folder} holds no file to push`);
  const files = await inParallel(scan.files, PARALLEL, ({ path, location }) => {
    if (signal?.aborted) throw interruption(signal);
    return inspectLocalFile(path, location);
  });
  const warnings = inspectRelease(files);
  const running = files.filter(({ executesCode }) => executesCode !== undefined);
  if (running.length === 0) return { scan, warnings };
  const allowed = api && (await allowedFormats(api, namespace, signal));
  if (allowed === undefined) return { scan, warnings: [...warnings, ...running.map(mayBeRefused)] };
  refuseCode(running, allowed);
  return { scan, warnings };
}

/**
 * Which formats that carry code the policy allows; undefined where that cannot be found out.
 * Its signatures are not looked at: the registry that would forge it is the one that decides.
 */
async function allowedFormats(
  api: Api,
  namespace: Namespace,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<Format> | undefined> {
  try {
    const { policy } = await api.policy(namespace, undefined, { signal });
    return new Set(parsePolicy(parseBase64(policy)).formats.allow.filter(isFormat));
  } catch (error) {
    if (!isCoded(error) || error.code === 'interrupted') throw error;
    return undefined;
  }
}

function mayBeRefused({ path, format, executesCode }: Inspection): string {
  return `${path} may run code when it is loaded (${executesCode}); it is refused unless the namespace's policy allows "${format}"`;
}
