/**
 * The first steps: whose registry is this, and with which key does it sign its log?
 *
 * A browser has no fingerprint to compare with when it comes for the first time. It believes what
 * it is shown, says so, and remembers: from then on the address must show the same registry.
 */
import { accept } from '../../client/accept.ts';
import { introduce, newestRoot, trust } from '../../client/trust.ts';
import { digestOf } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Origin } from '../../core/log/checkpoint.ts';
import { formatVerifierKey } from '../../core/note/key.ts';
import { presentLogKey, presentReleaseKeys } from '../../core/trust/periods.ts';
import { checkUnexpired, type TrustRoot } from '../../core/trust/succession.ts';
import type { Found } from './found.ts';
import type { PublicReader } from './reader.ts';
import type { Fact } from './step.ts';

/** When this browser saw a registry for the first time; undefined before that. */
export type FirstSeen = (origin: Origin) => Promise<string | undefined>;

/** The newest trust root: version 1 by its fingerprint, each later one by the one before it. */
export async function findRoot(
  { host, api, pins, clock }: PublicReader,
  firstSeen: FirstSeen,
  signal: AbortSignal | undefined,
): Promise<Found<TrustRoot>> {
  const readRoot = (version: number) => api.root(version, { signal });
  const shown = await introduce(host, pins, readRoot);
  const { origin, fingerprint, known } = shown;
  const { url } = api.http;
  const before = (await pins.pins()).find(({ urls }) => urls.includes(url));
  if (before !== undefined && before.origin !== origin) {
    throw new CodedError(
      'untrusted',
      `${url} was the registry ${before.origin} when this browser saw it before, and says now that it is ${origin}`,
      { expected: before.origin, found: origin },
    );
  }
  const since = known && (await firstSeen(origin));
  const pin = await trust(pins, shown, fingerprint, url);
  const { root, roots } = await newestRoot(host, pins, pin, readRoot);
  accept(checkUnexpired(root, clock()));

  const facts: Fact[] = [
    { label: 'Registry', value: origin },
    { label: 'Fingerprint', value: fingerprint, as: 'digest' },
    { label: 'Version', value: `${root.version}, good until ${root.expires}` },
    { label: 'Signed by', value: `${root.threshold} of ${count(root.keys.length, 'root key')}` },
    ...(since === undefined ? [] : [{ label: 'Remembered since', value: since }]),
  ];
  const walked = roots.length > 1 ? ` Each of its ${roots.length} versions signs the next.` : '';
  const said =
    known === undefined
      ? `This browser meets ${origin} for the first time, and takes the fingerprint below on trust: compare it once with one that reached you another way. From now on it is remembered.${walked}`
      : `${origin} shows the fingerprint that this browser remembers.${walked}`;
  const by = known === undefined ? 'nobody yet: first seen' : 'this browser’s memory';
  return { value: root, finding: { said, by, facts } };
}

/** The key that the trust root gives the log; the registry must name no other to anybody. */
export async function findLogKey(
  { host, api }: PublicReader,
  root: TrustRoot,
  signal: AbortSignal | undefined,
): Promise<Found<string>> {
  const vkey = formatVerifierKey(presentLogKey(root));
  const shown = await api.configuration({ signal });
  const named = root.log.map(({ key }) => formatVerifierKey(key));
  if (shown.origin !== root.origin || !named.includes(shown.vkey)) {
    throw new CodedError(
      'untrusted',
      `the registry tells other programs that ${shown.origin} signs its log with ${shown.vkey}, a key that its trust root does not name`,
      { expected: vkey, found: shown.vkey },
    );
  }
  const facts: Fact[] = [
    { label: 'Log key', value: vkey, as: 'digest' },
    ...presentReleaseKeys(root).map(
      (spki): Fact => ({ label: 'Release key', value: digestOf(host, spki), as: 'digest' }),
    ),
  ];
  const said =
    'The trust root names the key that signs the log, and the registry names the same to other programs.';
  return { value: vkey, finding: { said, by: `version ${root.version} of the trust root`, facts } };
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
