/**
 * What docker-compose.yml tells a server and the load balancer, for processes of this machine:
 * the same flags and settings, with other places and addresses.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const FILE = new URL('../../docker-compose.yml', import.meta.url);

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Where the things of one server lie when it is a process. */
export interface ServerPlaces {
  readonly listen: string;
  readonly url: string;
  readonly keys: string;
  readonly passphrase: string;
  readonly index: string;
}

/** What `weighhouse` is given to be a server of the cluster. */
export function serverArguments(places: ServerPlaces): string[] {
  const inContainer: Readonly<Record<string, string>> = {
    '--listen': places.listen,
    '--public-url': places.url,
    '--keys': places.keys,
    '--passphrase-file': places.passphrase,
    '--index': places.index,
    '--trusted-proxy': '127.0.0.0/8',
  };
  return service('server-1').command.map((argument) => {
    const [flag] = argument.split('=') as [string];
    return flag in inContainer ? `${flag}=${inContainer[flag]}` : argument;
  });
}

/** `s3://bucket/prefix`, as the servers are told it. */
export function storeAddress(): string {
  const flag = service('server-1').command.find((argument) => argument.startsWith('--store='));
  if (flag === undefined) throw new Error('docker-compose.yml names no --store');
  return flag.slice('--store='.length);
}

/** The environment of the servers. */
export function serverEnvironment(places: {
  readonly endpoint: string;
  readonly credentials: string;
}): NodeJS.ProcessEnv {
  return {
    ...service('server-1').environment,
    AWS_ENDPOINT_URL_S3: places.endpoint,
    AWS_SHARED_CREDENTIALS_FILE: places.credentials,
  };
}

/** The environment of the load balancer. */
export function balancerEnvironment(places: {
  readonly url: string;
  readonly certificate: string;
  readonly key: string;
  readonly servers: readonly string[];
}): NodeJS.ProcessEnv {
  return {
    ...service('balancer').environment,
    WEIGHHOUSE_SITE: places.url,
    WEIGHHOUSE_TLS: `${places.certificate} ${places.key}`,
    WEIGHHOUSE_SERVERS: places.servers.join(' '),
  };
}

function service(name: string): Service {
  const { services } = parse(readFileSync(FILE, 'utf8'), { merge: true });
  return services[name];
}
