/** `fsck` of transparency-dev/tessera: derives a tile log's root again from all that it serves. */
import { installFromGo } from './install.ts';

const VERSION = 'v1.0.4';

/** Resolves to the program. */
export function installFsck(): Promise<string> {
  const program = `github.com/transparency-dev/tessera/cmd/fsck@${VERSION}`;
  return installFromGo(`tessera-fsck-${VERSION}`, program);
}
