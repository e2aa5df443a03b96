/**
 * Programs from outside that we test against. Each is installed once, at one version, from
 * its own registry into `${XDG_CACHE_HOME:-~/.cache}/weighhouse-peers`, whole or not at all.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A virtual environment with these packages (or flags of pip); resolves to its Python. */
export async function installFromPypi(name: string, packages: readonly string[]): Promise<string> {
  const python = join('bin', 'python3');
  const folder = await installOnce(name, async (staged) => {
    await need('python3', ['-m', 'venv', '--help'], 'Python 3 with venv');
    await run('python3', ['-m', 'venv', staged]);
    await run(join(staged, python), ['-m', 'pip', 'install', '--quiet', ...packages]);
  });
  return join(folder, python);
}

/** The program of a Go package, `module/path@version`, built in `environment`; resolves to its path. Needs Go. */
export async function installFromGo(
  name: string,
  program: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  const folder = await installOnce(name, async (staged) => {
    await need('go', ['version'], 'Go 1.24 or newer');
    await run('go', ['install', program], {
      env: { ...process.env, ...environment, GOBIN: staged, GOFLAGS: '', GOTOOLCHAIN: 'local' },
    });
  });
  return join(folder, program.replace(/@.*$/, '').split('/').at(-1)!);
}

/**
 * As `installFromGo`, for the main package of a module whose list of versions the proxy does not
 * give: `go install` asks for it, a build inside a module of our own does not.
 */
export async function buildFromGo(name: string, module: string, version: string): Promise<string> {
  const folder = await installOnce(name, async (staged) => {
    await need('go', ['version'], 'Go 1.24 or newer');
    await writeFile(join(staged, 'go.mod'), `module peer\ngo 1.23\nrequire ${module} ${version}\n`);
    await writeFile(
      join(staged, 'peer.go'),
      `//go:build peer\npackage peer\nimport _ "${module}"\n`,
    );
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
    await run('go', ['build', '-o', 'program', module], { cwd: staged, env });
  });
  return join(folder, 'program');
}

/** A program of the Debian package of its name, for one that no other registry has. Needs root to install it. */
export async function installFromDebian(program: string): Promise<string> {
  const isInstalled = () =>
    run(program, ['--version']).then(
      () => true,
      () => false,
    );
  if (await isInstalled()) return program;
  await need('apt-get', ['--version'], `${program}, or Debian to install it`);
  await run('apt-get', ['update', '--quiet']);
  await run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', program]);
  return program;
}

/** The files of a Debian package, in a folder of the cache and not in the system; resolves to the folder. */
export function unpackFromDebian(name: string): Promise<string> {
  return installOnce(`debian-${name}`, async (staged) => {
    await need('apt-get', ['--version'], `Debian, which has ${name},`);
    await run('apt-get', ['update', '--quiet']);
    await run('apt-get', ['download', '--quiet', name], { cwd: staged });
    const [archive] = await readdir(staged);
    await run('dpkg', ['--extract', archive!, '.'], { cwd: staged });
    await rm(join(staged, archive!));
  });
}

/** The folder `name` of the cache, filled by `install` the first time. */
async function installOnce(
  name: string,
  install: (staged: string) => Promise<void>,
): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'weighhouse-peers', name);
  if (await isThere(folder)) return folder;
  await mkdir(join(folder, '..'), { recursive: true });
  const staged = await mkdtemp(`${folder}-`);
  try {
    await install(staged);
    await rename(staged, folder);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (!(await isThere(folder))) throw error; // another process was first: good
  }
  return folder;
}

async function need(program: string, args: readonly string[], what: string): Promise<void> {
  await run(program, args).catch(() => {
    throw new Error(`${what} is needed for this: "${program} ${args.join(' ')}" failed`);
  });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
