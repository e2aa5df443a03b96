/** OpenSSF's `model_signing` (Python): run it as `PYTHON -m model_signing …`. */
import { installFromPypi } from './install.ts';

const VERSION = '1.1.1';
/** It imports OpenSSL without asking for it: an older sigstore brought it along. */
const PACKAGES = [`model-signing==${VERSION}`, 'sigstore==4.5.1', 'pyOpenSSL==26.4.0'];

/** Resolves to a Python that has the package `model_signing`. */
export function installModelSigning(): Promise<string> {
  return installFromPypi(`model-signing-${VERSION}`, PACKAGES);
}
