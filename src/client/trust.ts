/**
 * From a pin to the root that is believed now. Version 1 of
 * root.json is believed because its fingerprint was pinned, every later one because the one
 * before it says so; each is saved before anything rests on it.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { type Origin, parseOrigin } from '../core/log/checkpoint.ts';
import { fingerprint } from '../core/trust/root.ts';
import { checkRoot, checkUnexpired, type TrustRoot, walkRoots } from '../core/trust/succession.ts';
import { accept } from './accept.ts';
import type { Pin, PinStore } from './pins.ts';
import type { PublicApi } from './public-api.ts';

/** Gives the exact bytes of a version of root.json; undefined when there is none. */
export type ReadRoot = (version: number) => Promise<Uint8Array | undefined>;

/** A registry that asks to be trusted. Nothing is saved yet. */
export interface Introduction {
  readonly origin: Origin;
  readonly fingerprint: Digest;
  /** Version 1, exact bytes. */
  readonly first: Uint8Array;
  /** The pin of that origin, when there is one already. */
  readonly known: Pin | undefined;
}

/** Reads version 1 of a registry's root, for a person to compare its fingerprint. Throws `not-found`. */
export async function introduce(
  host: Host,
  pins: PinStore,
  readRoot: ReadRoot,
): Promise<Introduction> {
  const first = await readRoot(1);
  if (first === undefined) {
    throw new CodedError('not-found', 'there is no trust root there; is it a Weighhouse registry?');
  }
  const { root } = accept(await checkRoot(host, first));
  const { origin } = root;
  return { origin, fingerprint: fingerprint(host, first), first, known: await pins.pin(origin) };
}

/**
 * Pins the registry: `expected` is the fingerprint that the person compared or was given.
 * Throws `untrusted` when it is another, or when the origin is pinned with another.
 */
export async function trust(
  pins: PinStore,
  introduction: Introduction,
  expected: Digest,
  url: string | undefined,
): Promise<Pin> {
  const { origin, known, first } = introduction;
  if (introduction.fingerprint !== expected) {
    throw new CodedError(
      'untrusted',
      `${origin} has the fingerprint ${introduction.fingerprint}, not ${expected}; do not trust it`,
      { origin, expected, found: introduction.fingerprint },
    );
  }
  if (known !== undefined && known.fingerprint !== expected) {
    throw new CodedError(
      'untrusted',
      `${origin} is pinned with the fingerprint ${known.fingerprint}, but shows ${expected}; a registry never changes it`,
      { origin, expected: known.fingerprint, found: expected },
    );
  }
  if (known === undefined) await pins.saveRoot(origin, 1, first);
  const urls = [...new Set([...(known?.urls ?? []), ...(url === undefined ? [] : [url])])];
  if (url !== undefined) await forgetAddress(pins, origin, url);
  const pin = { origin, fingerprint: expected, urls };
  await pins.savePin(pin);
  return pin;
}

/**
 * Which pinned registry is at that address? One that was named when it was pinned must be
 * who it was; any other may be a mirror of the registry that it says it is. Throws `untrusted`.
 */
export async function pinOf(api: PublicApi, pins: PinStore, signal?: AbortSignal): Promise<Pin> {
  const all = await pins.pins();
  const named = all.find(({ urls }) => urls.includes(api.http.url));
  if (named !== undefined) return named;
  const configuration = await api.configuration({ signal });
  const origin = parseOrigin(configuration.origin);
  const pin = all.find((candidate) => candidate.origin === origin);
  if (pin !== undefined) return pin;
  throw new CodedError(
    'untrusted',
    `the registry ${origin} at ${api.http.url} is not pinned; compare its fingerprint and run: weighhouse trust add ${api.http.url}`,
    { origin, url: api.http.url },
  );
}

/**
 * The newest root of a pinned registry: the saved ones, and those that `readRoot` adds.
 * `now`, in milliseconds, is given when it must not have expired.
 */
export async function newestRoot(
  host: Host,
  pins: PinStore,
  pin: Pin,
  readRoot: ReadRoot,
  now?: number,
): Promise<{ readonly root: TrustRoot; readonly roots: readonly Uint8Array[] }> {
  const saved = await pins.roots(pin.origin);
  const start = await savedRoot(host, pin, saved);
  const { root, steps } = accept(await walkRoots(host, start, readRoot));
  for (const [i, bytes] of steps.entries()) {
    await pins.saveRoot(pin.origin, saved.length + 1 + i, bytes);
  }
  if (now !== undefined) accept(checkUnexpired(root, now));
  return { root, roots: [...saved, ...steps] };
}

/** The last of the saved roots, each checked again: what lies on a disk may have been changed. */
async function savedRoot(host: Host, pin: Pin, saved: readonly Uint8Array[]): Promise<TrustRoot> {
  const [first, ...later] = saved;
  if (first === undefined || fingerprint(host, first) !== pin.fingerprint) {
    throw new CodedError(
      'untrusted',
      `the saved trust root of ${pin.origin} is not the one that was pinned; pin it again`,
    );
  }
  let { root } = accept(await checkRoot(host, first));
  for (const bytes of later) ({ root } = accept(await checkRoot(host, bytes, root)));
  if (root.origin !== pin.origin) {
    throw new CodedError('untrusted', `the saved trust root is not that of ${pin.origin}`);
  }
  return root;
}

/** An address belongs to one registry: the last that was pinned with it. */
async function forgetAddress(pins: PinStore, origin: Origin, url: string): Promise<void> {
  for (const other of await pins.pins()) {
    if (other.origin === origin || !other.urls.includes(url)) continue;
    await pins.savePin({ ...other, urls: other.urls.filter((known) => known !== url) });
  }
}
