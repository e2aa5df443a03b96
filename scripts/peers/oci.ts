/** Clients of OCI registries. */
import { join } from 'node:path';
import { installFromDebian, installFromGo, unpackFromDebian } from './install.ts';

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

/** Resolves to the folder with the programs `containerd` and `ctr`, in Debian's version. */
export async function unpackContainerd(): Promise<string> {
  return join(await unpackFromDebian('containerd'), 'usr', 'bin');
}

/** Resolves to the program `conformance`, the distribution specification's own tests, as of August 2026. */
export function installConformance(): Promise<string> {
  const version = 'v0.0.0-20260831232431-97274622c111';
  const module = 'github.com/opencontainers/distribution-spec/conformance';
  return installFromGo(`oci-conformance-${version}`, `${module}@${version}`);
}
