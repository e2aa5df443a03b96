/** Clients of OCI registries. */
import { installFromDebian, installFromGo } from './install.ts';

/** Resolves to the program `oras` (CNCF). */
export function installOras(): Promise<string> {
  return installFromGo('oras-v1.3.6', 'oras.land/oras/cmd/oras@v1.3.6');
}

/** Resolves to the program `crane` (go-containerregistry). */
export function installCrane(): Promise<string> {
  const version = 'v0.22.1';
  return installFromGo(
    `crane-${version}`,
    `github.com/google/go-containerregistry/cmd/crane@${version}`,
  );
}

/** Resolves to the program `regctl` (regclient). */
export function installRegctl(): Promise<string> {
  const version = 'v0.11.1';
  return installFromGo(`regctl-${version}`, `github.com/regclient/regclient/cmd/regctl@${version}`);
}

/** Resolves to the program `skopeo` (containers), in Debian's version. */
export function installSkopeo(): Promise<string> {
  return installFromDebian('skopeo');
}
