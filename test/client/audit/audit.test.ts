import { describe, expect, test } from '@jest/globals';
import { MemoryPins } from '../../../src/client/pins.ts';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { type Digest, formatDigest } from '../../../src/core/digest.ts';
import type { Entry } from '../../../src/core/log/entry.ts';
import { formatEntry } from '../../../src/core/log/entry.ts';
import { rootOfLeaves } from '../../../src/core/log/merkle.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../../src/core/release/advisory.ts';
import { parseNamespace } from '../../../src/core/release/name.ts';
import {
  formatPolicy,
  POLICY_PAYLOAD_TYPE,
  type Policy,
  soloPolicy,
} from '../../../src/core/release/policy.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { Audited, flipped, readEntry } from '../../made/audited.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { type MadeKey, makeKey } from '../../made/p256.ts';
import { makeRootDocument, publicLogKey, signRoot } from '../../made/trust-root.ts';

const RECORD_PATTERN = /hashedrekord/;

/** The violations, in short. */
async function found(audited: Audited, options: Parameters<Audited['audit']>[0] = {}) {
  const { ok, violations } = await audited.audit(options);
  expect(ok).toBe(violations.length === 0);
  return violations.map(({ index, code }) => [index, code]);
}

function policyOf(
  audited: Audited,
  namespace: string,
  changes: Partial<Policy> = {},
  owner: MadeKey = audited.made.owner,
): Uint8Array {
  const person = { id: 'owner', name: 'Owner', key: enrolled(owner, { namespace }) };
  const solo = soloPolicy(ORIGIN, parseNamespace(namespace), person);
  return formatPolicy({ ...solo, ...changes });
}

/** Logs a namespace or policy entry over `policy`, signed by these keys. */
function logPolicy(
  audited: Audited,
  kind: 'namespace' | 'policy',
  policy: Uint8Array,
  signers: readonly MadeKey[],
  more: object = {},
): number {
  const { namespace } = JSON.parse(parseUtf8(policy));
  const signed = signers.map((key) => audited.sign(key, POLICY_PAYLOAD_TYPE, policy));
  const entry = { kind, namespace, policy: audited.keep(policy), signed, ...more };
  return audited.made.log(entry as unknown as Entry);
}

describe('an honest registry', () => {
  test('is found good', async () => {
    const audited = Audited.small();
    const report = await audited.audit();
    expect(report).toMatchObject({
      ok: true,
      origin: ORIGIN,
      size: audited.made.entries.length,
      from: 0,
      releases: 2,
      violations: [],
      notes: [],
    });
    expect(utf8(`${report.root}\n`).length).toBe(45);
  });

  test('is found good with several namespaces, a meant twin and a log of several tiles', async () => {
    const audited = Audited.small();
    const { made } = audited;
    for (let i = 0; i < 520; i++) {
      const [label, commit] = [i, i + 1].map((n) => n.toString(16).padStart(64, '0'));
      made.log({ kind: 'commitment', label, commit } as Entry);
    }
    made.namespace('zoo');
    made.heads();
    made.publish('zoo/lion@Beta', { a: utf8('a') });
    made.heads();
    expect(await found(audited)).toEqual([]);
  });

  test('may be empty but for heads', async () => {
    const audited = new Audited();
    audited.made.heads();
    expect(await found(audited)).toEqual([]);
  });

  test('may change a policy, with the owners’ word', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const next = makeKey();
    const second = policyOf(audited, 'acme', { version: 2 }, next);
    made.policy('acme', second, [made.owner, made.releaseKey]);
    made.heads();
    made.publish('acme/tiny@v3', { a: utf8('a') });
    made.heads();
    expect(await found(audited)).toEqual([]);
  });

  test('is remembered: a later audit reads only what is new', async () => {
    const audited = Audited.small();
    const { state } = await audited.audit();
    audited.made.publish('acme/tiny@v3', { a: utf8('a') });
    audited.made.heads();
    audited.requests.length = 0;
    const report = await audited.audit({ state });
    expect(report).toMatchObject({ ok: true, from: 10, releases: 3 });
    const documents = audited.requests.filter((path) => path.endsWith('manifest.json'));
    expect(documents).toEqual(['/api/v1/releases/acme/tiny/v3/manifest.json']);
    expect((await audited.audit({ state: report.state })).ok).toBe(true);
  });

  test('audited in steps leaves the same state as audited at once', async () => {
    const audited = Audited.small();
    const first = await audited.audit();
    audited.made.namespace('zoo');
    audited.made.heads();
    const stepped = await audited.audit({ state: first.state });
    expect(stepped.state).toEqual((await audited.audit()).state);
  });

  test('is shown to have grown by what any command saw', async () => {
    const audited = Audited.small();
    const pins = new MemoryPins();
    await audited.audit({ pins });
    audited.made.heads();
    expect(await found(audited, { pins })).toEqual([]);
    const { checkpoint, heads } = (await pins.seen(ORIGIN))!;
    expect(checkpoint).toEqual(audited.made.checkpoint());
    expect(heads?.index).toBe(audited.made.entries.length - 1);
  });

  test('keeps kinds that are not known yet, times that go back and long silences: notes', async () => {
    const audited = Audited.small();
    const { made } = audited;
    made.append(utf8('{"kind":"novelty","v":1}'));
    const late = '2026-02-01T13:00:00.000Z';
    made.append(formatEntry({ ...readEntry(made, 9), time: late }));
    made.heads();
    const { ok, notes } = await audited.audit();
    expect(ok).toBe(true);
    expect(notes.map(({ index }) => index)).toEqual([10, 11, 12]);
  });
});

describe('growth', () => {
  test('a log that was rolled back', async () => {
    const audited = Audited.small();
    const { state } = await audited.audit();
    audited.made.entries.splice(7);
    expect(await found(audited, { state })).toEqual([[7, 'rolled-back']]);
  });

  test('a log that was rolled back, also where all content is read again', async () => {
    const audited = Audited.small();
    const { state } = await audited.audit();
    audited.made.entries.splice(7);
    const visitRelease = async () => {};
    expect(await found(audited, { state, visitRelease })).toEqual([[7, 'rolled-back']]);
  });

  test('a log that was rolled back since another command saw it', async () => {
    const audited = Audited.small();
    const pins = new MemoryPins();
    await audited.audit({ pins });
    audited.made.entries.splice(7);
    expect(await found(audited, { pins })).toEqual([[7, 'rolled-back']]);
  });

  test('a log that was rewritten, with both checkpoints as evidence', async () => {
    const audited = Audited.small();
    const before = audited.made.checkpoint();
    const { state } = await audited.audit();
    audited.made.entries[5] = formatEntry({ ...readEntry(audited.made, 1) });
    audited.made.heads();
    const { violations } = await audited.audit({ state });
    expect(violations).toMatchObject([{ index: 11, code: 'fork' }]);
    expect(violations[0]!.evidence.checkpoints).toEqual([
      parseUtf8(before),
      parseUtf8(audited.made.checkpoint()),
    ]);
  });

  test('an entry that is not the one in its tile', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) =>
      path.startsWith('/log/tile/entries/') ? flipped(bytes, 40) : bytes;
    expect(await found(audited)).toContainEqual([0, 'proof-invalid']);
  });

  test('a bundle that is missing', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) => (path.startsWith('/log/tile/entries/') ? undefined : bytes);
    expect(await found(audited)).toEqual([[0, 'not-found']]);
  });

  test('the state of another registry is refused', async () => {
    const audited = Audited.small();
    const { state } = await audited.audit();
    const other = parseUtf8(state!).replaceAll(ORIGIN, 'models.example.net');
    await expect(audited.audit({ state: utf8(other) })).rejects.toThrowWithCode('bad-document');
  });
});

describe('rules of the log', () => {
  test('a namespace that begins twice', async () => {
    const audited = Audited.small();
    const { owner, releaseKey } = audited.made;
    logPolicy(audited, 'namespace', policyOf(audited, 'acme'), [owner, releaseKey]);
    expect(await found(audited)).toEqual([[10, 'untrusted']]);
  });

  test('a look-alike that nobody overrode', async () => {
    const audited = Audited.small();
    audited.made.namespace('ac-me');
    audited.made.heads();
    expect(await found(audited)).toEqual([[10, 'untrusted']]);
  });

  test('a release that is published twice', async () => {
    const audited = Audited.small();
    audited.made.append(audited.made.entries[2]!);
    audited.made.append(audited.made.entries[3]!);
    expect(await found(audited)).toEqual([[10, 'already-published']]);
  });

  test('a release without its record, and a record without its release', async () => {
    const audited = Audited.small();
    const { made } = audited;
    expect(parseUtf8(made.entries[3]!)).toMatch(RECORD_PATTERN);
    const [record] = made.entries.splice(3, 1);
    made.append(record!);
    const violations = await found(audited);
    expect(violations).toContainEqual([2, 'proof-invalid']);
    expect(violations).toContainEqual([9, 'proof-invalid']);
  });

  test('a release at the very end, without its record', async () => {
    const audited = new Audited();
    audited.made.namespace('acme');
    audited.made.heads();
    audited.made.publish('acme/tiny@v1', { a: utf8('a') });
    audited.made.entries.pop();
    expect(await found(audited)).toContainEqual([2, 'proof-invalid']);
  });

  test('a record that is another one', async () => {
    const audited = Audited.small();
    const { made } = audited;
    made.entries[3] = made.entries[6]!;
    const violations = await found(audited);
    expect(violations).toContainEqual([2, 'proof-invalid']);
    expect(violations).toContainEqual([3, 'proof-invalid']);
  });

  test('a release under a policy that was not in force', async () => {
    const audited = Audited.small();
    const { made } = audited;
    made.entries[2] = formatEntry({ ...readEntry(made, 2), policy: 1 });
    expect(await found(audited)).toContainEqual([2, 'gate-unmet']);
  });

  test('a release in a namespace that has not begun', async () => {
    const audited = Audited.small();
    const { made } = audited;
    made.entries[2] = formatEntry({ ...readEntry(made, 2), release: 'zoo/tiny@v1' });
    expect(await found(audited)).toContainEqual([2, 'untrusted']);
  });

  test('an advisory about a digest that was never published', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const digest = formatDigest(new Uint8Array(32));
    made.entries[8] = formatEntry({ ...readEntry(made, 8), digest });
    expect(await found(audited)).toContainEqual([8, 'untrusted']);
  });

  test.each([
    ['root', { root: formatDigest(new Uint8Array(32)) }],
    ['count', { namespaces: 2 }],
  ])('a heads entry with another %s than the log makes', async (_, changes) => {
    const audited = Audited.small();
    const { made } = audited;
    made.entries[4] = formatEntry({ ...readEntry(made, 4), ...changes });
    expect(await found(audited)).toContainEqual([4, 'proof-invalid']);
  });

  test('heads that keep an advisory back', async () => {
    const audited = Audited.small();
    const { made } = audited;
    made.entries[9] = formatEntry({ ...readEntry(made, 7) });
    expect(await found(audited)).toContainEqual([9, 'proof-invalid']);
  });

  test('a change that no heads entry follows', async () => {
    const audited = Audited.small();
    audited.made.entries.pop();
    expect(await found(audited)).toEqual([[8, 'stale']]);
  });

  test('a log that is silent for longer than its trust root allows', async () => {
    const audited = Audited.small();
    const hours = 3_600_000;
    expect(await found(audited, { now: audited.made.now + 2 * hours })).toEqual([[9, 'stale']]);
  });

  test.each([
    ['no JSON', 'no entry', 'bad-json'],
    ['no known form', '{"kind":"heads","v":1}', 'bad-entry'],
    ['a record that is none', '{"kind":"hashedrekord"}', 'bad-entry'],
  ])('an entry of %s', async (_, text, code) => {
    const audited = Audited.small();
    audited.made.append(utf8(text));
    expect(await found(audited)).toEqual([[10, code]]);
  });
});

describe('documents and signatures', () => {
  test('a policy with a key that its holder did not enrol there is found', async () => {
    const audited = Audited.small();
    const key = enrolled(audited.made.owner, { namespace: 'acme' });
    const people = [{ id: 'owner', name: 'Owner', keys: [key] }];
    const policy = policyOf(audited, 'other', { people });
    const { owner, releaseKey } = audited.made;
    const index = logPolicy(audited, 'namespace', policy, [owner, releaseKey]);
    expect(await found(audited)).toContainEqual([index, 'signature-invalid']);
  });

  test('a first policy that the registry has not signed', async () => {
    const audited = Audited.small();
    logPolicy(audited, 'namespace', policyOf(audited, 'zoo'), [audited.made.owner]);
    expect(await found(audited)).toContainEqual([10, 'signature-invalid']);
  });

  test('a first policy that its owner has not signed', async () => {
    const audited = Audited.small();
    logPolicy(audited, 'namespace', policyOf(audited, 'zoo'), [audited.made.releaseKey]);
    expect(await found(audited)).toContainEqual([10, 'signature-invalid']);
  });

  test('a policy that a stranger signed as well', async () => {
    const audited = Audited.small();
    const { owner, releaseKey } = audited.made;
    const signers = [owner, releaseKey, makeKey()];
    logPolicy(audited, 'namespace', policyOf(audited, 'zoo'), signers);
    expect(await found(audited)).toContainEqual([10, 'signature-invalid']);
  });

  test('a policy for another namespace', async () => {
    const audited = Audited.small();
    const { owner, releaseKey } = audited.made;
    const policy = policyOf(audited, 'zoo');
    logPolicy(audited, 'namespace', policy, [owner, releaseKey], { namespace: 'park' });
    expect(await found(audited)).toContainEqual([10, 'untrusted']);
  });

  test('a later policy that only its new owner signed', async () => {
    const audited = Audited.small();
    const thief = makeKey();
    logPolicy(audited, 'policy', policyOf(audited, 'acme', { version: 2 }, thief), [thief]);
    expect(await found(audited)).toContainEqual([10, 'signature-invalid']);
  });

  test('a later policy that leaves a version out', async () => {
    const audited = Audited.small();
    const policy = policyOf(audited, 'acme', { version: 3 });
    logPolicy(audited, 'policy', policy, [audited.made.owner]);
    expect(await found(audited)).toContainEqual([10, 'untrusted']);
  });

  test('an advisory that says something else than what was signed', async () => {
    const audited = Audited.small();
    const { made } = audited;
    made.entries[8] = formatEntry({ ...readEntry(made, 8), summary: 'All is well' });
    expect(await found(audited)).toContainEqual([8, 'untrusted']);
  });

  test('a recall by somebody who may not recall', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const { release, digest, summary } = readEntry(made, 8);
    const said = { v: 1, origin: ORIGIN, release, digest, advisory: 'recalled', summary } as const;
    const nonce = '0'.repeat(64);
    const statement = formatAdvisory({ ...said, time: '2026-02-01T12:00:00.000Z', nonce });
    const signed = audited.sign(makeKey(), ADVISORY_PAYLOAD_TYPE, statement);
    made.entries[8] = formatEntry({ ...readEntry(made, 8), statement: signed });
    expect(await found(audited)).toContainEqual([8, 'signature-invalid']);
  });

  test('a release by a key that the trust root does not name', async () => {
    const audited = Audited.small();
    const release = [{ spki: makeKey().spki, from: 0 }];
    const document = makeRootDocument([audited.rootKey], { release });
    audited.roots[0] = signRoot(document, [audited.rootKey]);
    const violations = await found(audited);
    expect(violations).toContainEqual([2, 'signature-invalid']);
    expect(violations).toContainEqual([5, 'signature-invalid']);
  });

  test('the documents of one release served for another', async () => {
    const audited = Audited.small();
    const served = new Map<string, Uint8Array>();
    audited.tamper = (path, bytes) => served.set(path, bytes) && bytes;
    await audited.audit();
    audited.tamper = (path, bytes) => served.get(path.replace('tiny/v1/', 'tiny/v2/')) ?? bytes;
    const { violations } = await audited.audit();
    expect(violations.map(({ index }) => index)).toContain(2);
  });

  test('a checkpoint of another log in a document', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const path = '/api/v1/releases/acme/tiny/v1/release.tlog-proof';
    made.append(utf8('{"kind":"shown to some","v":1}'));
    const proof = made.documents('acme/tiny@v1').releaseProof;
    made.entries.pop();
    made.heads();
    audited.tamper = (asked, bytes) => (asked === path ? proof : bytes);
    expect(await found(audited)).toEqual([[11, 'fork']]);
  });

  test('envelopes over a policy in another order than its entry names', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) => {
      if (!path.includes('/policy?')) return bytes;
      const answer = JSON.parse(parseUtf8(bytes));
      return utf8(JSON.stringify({ ...answer, signed: answer.signed.reverse() }));
    };
    expect(await found(audited)).toEqual([[0, 'digest-mismatch']]);
  });

  test('code in a release whose policy does not allow it', async () => {
    const audited = Audited.small();
    audited.made.publish('acme/tiny@v3', { 'run.py': utf8('x') }, { executes: ['run.py'] });
    audited.made.heads();
    expect(await found(audited)).toEqual([[10, 'code-carrying-format']]);
  });

  test('a document that is not served', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) => (path.endsWith('v2/release.dsse') ? undefined : bytes);
    const { violations } = await audited.audit();
    expect(violations).toMatchObject([{ index: 5, code: 'digest-mismatch' }]);
    expect(violations[0]!.message).toContain('release.dsse of acme/tiny@v2');
  });

  test.each([
    ['entry', 2, 'proof-invalid'],
    ['release.tlog-proof', 2, 'proof-invalid'],
    ['manifest.json', 2, 'digest-mismatch'],
    ['model.sig', 2, 'digest-mismatch'],
    ['/policy?', 0, 'digest-mismatch'],
    ['/advisories/', 8, 'digest-mismatch'],
  ])('%s that is never served', async (name, index, code) => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) => (path.includes(name) ? undefined : bytes);
    const { violations } = await audited.audit();
    expect(violations).toContainEqual(expect.objectContaining({ index, code }));
    expect(violations.every(({ code }) => code !== 'not-found')).toBe(true);
  });

  test('all documents of a release are named that are not served, and the rest is audited', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) => {
      if (/tiny\/v1\/(manifest\.json|entry)$/.test(path)) return undefined;
      return path.includes('/advisories/') ? flipped(bytes, bytes.length - 9) : bytes;
    };
    const { violations } = await audited.audit();
    expect(violations.map(({ index }) => index)).toEqual([2, 8]);
    expect(violations[0]!.message).toContain('entry, manifest.json of acme/tiny@v1');
  });

  test('a log that is not the one with which an earlier key ended', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const release = [{ spki: made.releaseKey.spki, from: 0 }];
    const endWith = (root: Digest) => {
      const log = [
        { key: publicLogKey(8), from: 0, end: { size: 4, root } },
        { key: publicLogKey(7), from: 4 },
      ];
      const document = makeRootDocument([audited.rootKey], { release, log });
      audited.roots[0] = signRoot(document, [audited.rootKey]);
    };
    endWith(formatDigest(rootOfLeaves(nodeHost, made.leaves.slice(0, 4))));
    expect(await found(audited)).toEqual([]);
    endWith(formatDigest(rootOfLeaves(nodeHost, made.leaves.slice(0, 3))));
    expect(await found(audited)).toEqual([[4, 'fork']]);
    const { violations } = await audited.audit();
    expect(violations[0]!.evidence).toMatchObject({ expected: expect.any(String) });
  });

  test('a root.json that is not the one that was logged', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const release = [{ spki: made.releaseKey.spki, from: 0 }];
    const document = makeRootDocument([audited.rootKey], { release, version: 2 });
    audited.roots.push(signRoot(document, [audited.rootKey]));
    made.log({ kind: 'root', version: 2, digest: audited.keep(audited.roots[1]!) } as Entry);
    expect(await found(audited)).toEqual([]);
    made.log({ kind: 'root', version: 3, digest: audited.keep(utf8('x')) } as Entry);
    made.log({ kind: 'root', version: 2, digest: audited.keep(utf8('x')) } as Entry);
    expect(await found(audited)).toEqual([
      [11, 'digest-mismatch'],
      [12, 'untrusted'],
      [12, 'digest-mismatch'],
    ]);
  });

  test('a root.json that is shown and not logged', async () => {
    const audited = Audited.small();
    const release = [{ spki: audited.made.releaseKey.spki, from: 0 }];
    const document = makeRootDocument([audited.rootKey], { release, version: 2 });
    audited.roots.push(signRoot(document, [audited.rootKey]));
    expect(await found(audited)).toEqual([[10, 'untrusted']]);
  });

  test('a release in the window of a stolen key, and none before it', async () => {
    const audited = Audited.small();
    const { made } = audited;
    const release = [{ spki: made.releaseKey.spki, from: 0, to: 4 }];
    release.push({ spki: makeKey().spki, from: 10 } as never);
    const document = makeRootDocument([audited.rootKey], { release, version: 2 });
    audited.roots.push(signRoot(document, [audited.rootKey]));
    made.log({ kind: 'root', version: 2, digest: audited.keep(audited.roots[1]!) } as Entry);
    const { violations } = await audited.audit();
    expect(violations).toMatchObject([
      { index: 5, code: 'signature-invalid', message: expect.stringContaining('ends at entry 4') },
    ]);
  });

  test('a server that cannot be reached says nothing about the log', async () => {
    const audited = Audited.small();
    audited.tamper = (path, bytes) => {
      if (path.endsWith('model.sig')) throw new Error('gone');
      return bytes;
    };
    await expect(audited.audit()).rejects.toThrowWithCode('network');
  });
});

describe('one byte changed anywhere', () => {
  test('is found, in whatever is read', async () => {
    const audited = new Audited();
    const { made } = audited;
    made.namespace('acme');
    made.publish('acme/tiny@v1', { a: utf8('a') });
    made.advise('acme/tiny@v1', 'security');
    made.heads();
    const lengths = new Map<string, number>();
    audited.tamper = (path, bytes) => lengths.set(path, bytes.length) && bytes;
    expect((await audited.audit()).ok).toBe(true);
    expect(lengths.size).toBe(11);
    for (const [path, length] of lengths) {
      for (const at of [0, length >> 1, length - 1]) {
        audited.tamper = (asked, bytes) => (asked === path ? flipped(bytes, at) : bytes);
        expect([path, at, await isFound(audited)]).toEqual([path, at, true]);
      }
    }
  });
});

async function isFound(audited: Audited): Promise<boolean> {
  try {
    return !(await audited.audit()).ok;
  } catch {
    // A checkpoint that is not signed, for instance, is not even begun with.
    return true;
  }
}
