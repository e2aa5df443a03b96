/** s5cmd, the fastest plain S3 client that we know: a yardstick for transfers. Built once with Go. */
import { buildFromGo } from './install.ts';

const VERSION = '2.3.0';

/** Builds the program once; resolves to its path. */
export function installS5cmd(): Promise<string> {
  return buildFromGo(`s5cmd-v${VERSION}`, 'github.com/peak/s5cmd/v2', `v${VERSION}`);
}
