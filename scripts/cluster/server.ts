/** One registry server of the cluster, with the flags and settings of docker-compose.yml. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverArguments, serverEnvironment } from './compose.ts';
import { outside } from './environment.ts';
import { answers, ClusterProcess } from './process.ts';

export const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
const READY_WITHIN_MS = 60_000;

/** A registry server of the cluster. */
export interface ClusterServer {
  /** Its own address, past the balancer. */
  readonly url: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly isRunning: boolean;
  /** Exit status or signal of its last run; undefined while it runs. */
  readonly exit: number | NodeJS.Signals | undefined;
  /** The file that it logs to. */
  readonly log: string;
}

/** What differs between the servers of this machine and those of docker-compose.yml. */
export interface ServerSetting {
  readonly name: string;
  readonly port: number;
  /** Of the whole cluster, as clients know it. */
  readonly url: string;
  /** Of the bucket. */
  readonly endpoint: string;
  readonly credentialsFile: string;
  readonly passphrase: string;
  readonly keys: string;
  readonly index: string;
  /** Where logs and configuration go. */
  readonly directory: string;
  readonly flags?: readonly string[] | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

export class RegistryServer extends ClusterProcess implements ClusterServer {
  readonly url: string;

  constructor(setting: ServerSetting) {
    const { name, port, url, keys, passphrase, index, directory } = setting;
    const listen = `127.0.0.1:${port}`;
    const flags = serverArguments({ listen, url, keys, passphrase, index });
    super(
      name,
      join(directory, 'logs', `${name}.txt`),
      [process.execPath, PROGRAM, ...flags, ...(setting.flags ?? [])],
      {
        ...outside(),
        ...serverEnvironment({ endpoint: setting.endpoint, credentials: setting.credentialsFile }),
        XDG_CONFIG_HOME: join(directory, 'config'),
        ...setting.environment,
      },
    );
    this.url = `http://${listen}`;
  }

  /** Resolves when it is ready. */
  begin(): Promise<void> {
    return this.start(() => answers(`${this.url}/readyz`), READY_WITHIN_MS);
  }
}
