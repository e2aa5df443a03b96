/** `show REF`: a release as the registry tells it; a draft to whoever has a token for it. */
import type { Command } from 'commander';
import type { ShownRestriction } from '../../client/answers.ts';
import type { Api } from '../../client/api.ts';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { isCoded } from '../../core/error.ts';
import { type Claims, claimsOf } from '../../core/release/claims.ts';
import { parseManifest } from '../../core/release/manifest.ts';
import {
  formatModel,
  parseReference,
  parseReleaseName,
  type Reference,
} from '../../core/release/name.ts';
import { describeClaims } from '../claims.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApi } from '../reach.ts';
import { formatFields, formatTable } from '../table.ts';
import { whichOf } from '../which.ts';

export function makeCommand(run: Run): Command {
  return declare('show', 'show acme/kimi-k2@v1.0')
    .argument('<ref>', 'namespace/name, …@version or …@sha256:digest')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(show));
}

interface Shown extends Claims {
  readonly reference: string;
  readonly digest?: string;
  readonly state: string;
  readonly index?: number;
  readonly time?: string;
  readonly size?: number;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly sha256: string;
    readonly format: string;
  }[];
  /** Whose its bytes are, where they are not everybody's. */
  readonly bytes?: ShownRestriction | undefined;
  readonly advisories?: readonly {
    readonly index: number;
    readonly kind: string;
    readonly summary: string;
  }[];
}

async function show(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const reference = parseReference(text);
  const api = await openApi(context);
  const shown = await find(context, api, reference);
  context.output.result(shown, describe(shown));
}

async function find(context: Context, api: Api, reference: Reference): Promise<Shown> {
  const { signal } = context;
  const at = await whichOf(api, reference, signal);
  try {
    return await api.release(reference, at, { signal });
  } catch (error) {
    const isVersion = reference.at !== undefined && 'version' in reference.at;
    if (!isCoded(error, 'not-found') || api.http.token === undefined || !isVersion) throw error;
    return findDraft(api, reference, at, signal);
  }
}

async function findDraft(
  api: Api,
  reference: Reference,
  version: string,
  signal: AbortSignal,
): Promise<Shown> {
  const release = parseReleaseName(`${formatModel(reference)}@${version}`);
  const status = await api.draftStatus(release, { signal });
  const { state, digest } = status;
  if (digest === undefined) return { reference: status.reference, state, files: [] };
  const manifest = parseManifest(await api.draftManifest(release, { signal }));
  const files = manifest.files.map(({ path, size, sha256, format }) => ({
    path,
    size,
    sha256,
    format,
  }));
  const { size } = manifest;
  return {
    reference: status.reference,
    digest,
    state,
    size,
    files,
    ...claimsOf(manifest),
  };
}

function describe(shown: Shown): string[] {
  const { reference, digest, state, index, time, size, files, advisories = [] } = shown;
  const fields: [string, string][] = [
    ['release', reference],
    ['state', state],
  ];
  if (digest !== undefined) fields.push(['digest', digest]);
  if (index !== undefined) fields.push(['log index', String(index)]);
  if (time !== undefined) fields.push(['time', time]);
  if (size !== undefined) {
    fields.push(['size', `${formatBytes(size)} in ${formatCount(files.length, 'file')}`]);
  }
  if (shown.bytes !== undefined) fields.push(['bytes', describeReaders(shown.bytes)]);
  fields.push(...describeClaims(shown));
  for (const { kind, summary, index: at } of advisories) {
    fields.push([kind, `${summary} (log entry ${at})`]);
  }
  const rows = files.map((file) => [file.path, formatBytes(file.size), file.format, file.sha256]);
  const table = formatTable(['FILE', 'SIZE', 'FORMAT', 'SHA-256'], rows, ['left', 'right']);
  return [...formatFields(fields), ...(files.length === 0 ? [] : ['', ...table])];
}

function describeReaders({ terms }: ShownRestriction): string {
  const accepted = terms === undefined ? '' : `, who have accepted ${terms.name} (${terms.url})`;
  return `for holders of a token with the role reader${accepted}`;
}
