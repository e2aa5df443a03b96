/** Sigstore's `cosign`, for the bundles that it verifies offline. */
import { installFromGo } from './install.ts';

const VERSION = 'v3.1.3';

/** Resolves to the program `cosign`. */
export function installCosign(): Promise<string> {
  return installFromGo(`cosign-${VERSION}`, `github.com/sigstore/cosign/v3/cmd/cosign@${VERSION}`);
}
