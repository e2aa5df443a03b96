/** Trust roots as people read them: what one says, and what the next one changes. */

import { equal } from '../core/bytes.ts';
import { formatVerifierKey, sameKey } from '../core/note/key.ts';
import { keyId, type Spki } from '../core/statement/public-key.ts';
import type { RootDocument } from '../core/trust/root.ts';
import { nodeHost } from '../hashing/host.ts';
import { formatFields } from './table.ts';

const idOf = (spki: Spki) => keyId(nodeHost, spki);
/** Enough of an ID to compare it by eye with another. */
const short = (spki: Spki) => `${idOf(spki).slice(0, 16)}…`;

/** All that a root says, as `--json` gives it. */
export function rootToJson(root: RootDocument) {
  return {
    version: root.version,
    origin: root.origin,
    issued: root.issued,
    expires: root.expires,
    threshold: root.threshold,
    keys: root.keys.map(idOf),
    log: root.log.map(({ key, from, end }) => ({
      vkey: formatVerifierKey(key),
      from,
      to: end?.size ?? null,
      final_root: end?.root ?? null,
    })),
    release: root.release.map(({ spki, from, to }) => ({ id: idOf(spki), from, to: to ?? null })),
    token: root.token.map(({ x }) => x),
    witness_policy: root.witnessPolicy ?? null,
    max_age: root.maxAge,
  };
}

export function describeRoot(root: RootDocument): string[] {
  return formatFields([
    ['origin', root.origin],
    ['version', `${root.version}, good until ${root.expires}`],
    ['signed by', `${root.threshold} of ${root.keys.length} root keys`],
    ...root.keys.map((spki) => ['root key', idOf(spki)] as const),
    ...root.log.map(
      ({ key, from, end }) =>
        ['log key', `${formatVerifierKey(key)}, ${range('size', from, end?.size)}`] as const,
    ),
    ...root.release.map(
      ({ spki, from, to }) =>
        ['release key', `${idOf(spki)}, ${range('entry', from, to)}`] as const,
    ),
    ...root.token.map(({ x }) => ['token key', x] as const),
    ['witnesses', root.witnessPolicy === undefined ? 'none' : 'a quorum must cosign'],
    ['max age', `${root.maxAge} s`],
  ]);
}

/** One line for each thing that is another in `next`. */
export function describeChange(before: RootDocument, next: RootDocument): string[] {
  return [
    `version ${before.version} → ${next.version}, good until ${next.expires}`,
    ...rootKeyChanges(before, next),
    ...logChanges(before, next),
    ...releaseChanges(before, next),
    ...tokenChanges(before, next),
    ...(before.witnessPolicy === next.witnessPolicy ? [] : ['the witness policy is another']),
    ...(before.maxAge === next.maxAge
      ? []
      : [`the log may be silent for ${next.maxAge} s, not ${before.maxAge} s`]),
  ];
}

function rootKeyChanges(before: RootDocument, next: RootDocument): string[] {
  const isIn = (root: RootDocument) => (spki: Spki) => root.keys.some((key) => equal(key, spki));
  const gone = before.keys.filter((spki) => !isIn(next)(spki));
  const come = next.keys.filter((spki) => !isIn(before)(spki));
  const rule = ({ threshold, keys }: RootDocument) => `${threshold} of ${keys.length}`;
  return [
    ...gone.map((spki) => `root key ${short(spki)} is removed`),
    ...come.map((spki) => `root key ${short(spki)} is added`),
    ...(rule(before) === rule(next)
      ? []
      : [`${rule(next)} root keys must sign, not ${rule(before)}`]),
  ];
}

function logChanges(before: RootDocument, next: RootDocument): string[] {
  const known = before.log;
  return next.log.flatMap(({ key, from, end }, i) => {
    const was = known[i];
    if (was === undefined) return [`log key ${formatVerifierKey(key)} begins at size ${from}`];
    if (!sameKey(was.key, key) || was.end?.size === end?.size) return [];
    return [`log key ${formatVerifierKey(key)} ends at size ${end?.size}, root ${end?.root}`];
  });
}

function releaseChanges(before: RootDocument, next: RootDocument): string[] {
  return next.release.flatMap(({ spki, from, to }, i) => {
    const was = before.release[i];
    if (was === undefined) return [`release key ${short(spki)} begins at entry ${from}`];
    if (was.to === to) return [];
    return [`release key ${short(spki)} ends at entry ${to}: releases from there on are refused`];
  });
}

function tokenChanges(before: RootDocument, next: RootDocument): string[] {
  const has = (root: RootDocument, x: string) => root.token.some((key) => key.x === x);
  const gone = before.token.filter(({ x }) => !has(next, x));
  const come = next.token.filter(({ x }) => !has(before, x));
  return [
    ...gone.map(({ x }) => `token key ${x} is dropped: its tokens end`),
    ...come.map(({ x }) => `token key ${x} is added`),
  ];
}

function range(what: string, from: number, to: number | undefined): string {
  return to === undefined ? `from ${what} ${from} on` : `from ${what} ${from} to ${to}`;
}
