/**
 * Which file of a release is it that a reader chose?
 *
 * In a folder the path says so. Of a single file the name does, if only one file has it; browsers
 * rename what they download (`model (1).safetensors`), so any file of its size is looked at as well.
 */
import type { Piece } from './hash-job.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';

/** A file that a reader chose. */
export interface Chosen {
  /** Below the folder that was chosen; of a single file its name. */
  readonly path: string;
  readonly content: Piece;
}

/** What a signature leaves out of account, and the signature itself. */
const BESIDE = ['model.sig', '.weighhouse', '.cache/huggingface'];

/** Does that lie beside a release without being a part of it? */
export function liesBeside(path: string): boolean {
  return BESIDE.some((each) => path === each || path.startsWith(`${each}/`));
}

/** Files of the release that it may be, the likeliest first. */
export function candidatesFor(release: ReleaseFiles, chosen: Chosen, inFolder: boolean) {
  // macOS gives names apart from their accents; paths of a release never are.
  const path = chosen.path.normalize('NFC');
  const exact = release.find(path);
  if (inFolder) return exact === undefined ? [] : [exact];
  const named = release.files.filter((file) => file !== exact && nameOf(file) === path);
  const likely = [...(exact === undefined ? [] : [exact]), ...named];
  const alike = release.files.filter(
    (file) => file.size === chosen.content.size && !likely.includes(file),
  );
  return [...likely, ...alike];
}

function nameOf({ path }: ReleaseFile): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
