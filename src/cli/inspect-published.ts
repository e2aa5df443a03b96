/** What a published release is, as `inspect` shows it: from its signed documents and its headers. */
import type { Reader } from '../client/release.ts';
import { formatReleaseName, type Reference } from '../core/release/name.ts';
import { codeCarrying, isFormat } from '../core/weights/format.ts';
import {
  type InspectedRelease,
  type InspectReleaseOptions,
  inspectRelease,
} from '../transfer/inspect-release.ts';
import type { Inspected, InspectedFile, Published } from './inspected.ts';

/** Looks into a release over the network. Throws what `inspectRelease` throws. */
export async function inspectPublished(
  reader: Reader,
  reference: Reference,
  options: InspectReleaseOptions,
): Promise<Inspected & { readonly published: Published }> {
  const inspected = await inspectRelease(reader, reference, options);
  const { resolved, inspections, received } = inspected;
  const { release, manifest } = resolved.verified;
  return {
    files: filesOf(inspected),
    isDirectory: true,
    warnings: inspections.flatMap(({ warnings }) => warnings),
    published: {
      resolved,
      reference: formatReleaseName(release),
      read: { bytes: received, of: manifest.size },
    },
  };
}

function filesOf({ resolved, inspections, level }: InspectedRelease): InspectedFile[] {
  const { files, executes } = resolved.verified.manifest;
  const known = new Map(inspections.map((inspection) => [inspection.path as string, inspection]));
  const executing = new Set(executes);
  return files.map(({ path, size, format }) => {
    const inspection = known.get(path);
    return {
      path,
      size,
      format,
      ...(executing.has(path) && { executesCode: reasonFor(format) }),
      ...(inspection?.tensors !== undefined && { tensors: inspection.tensors, checked: level }),
      ...(inspection?.metadata !== undefined && { metadata: inspection.metadata }),
    };
  });
}

/** Of some formats it depends on what the file holds: the registry has looked. */
function reasonFor(format: string): string {
  const always = isFormat(format) ? codeCarrying(format) : undefined;
  return always ?? 'its manifest says so';
}
