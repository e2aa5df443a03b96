import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { openCheckpoint, signCheckpoint } from '../../src/core/log/checkpoint.ts';
import { checkConsistency } from '../../src/core/log/merkle.ts';
import { checkQuorum, parseTlogPolicy, type TlogPolicy } from '../../src/core/log/tlog-policy.ts';
import {
  formatConflict,
  formatCosignatures,
  MAX_COSIGNATURES_BYTES,
  parseAddCheckpoint,
} from '../../src/core/log/witness.ts';
import { cosignatureSigner } from '../../src/core/note/cosignature.ts';
import { formatVerifierKey, SIGNATURE_TYPE, signingKey } from '../../src/core/note/key.ts';
import { noteSigner, noteVerifier, parseNote, signNote } from '../../src/core/note/note.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { SignedTree } from '../../src/log/publisher.ts';
import { openWitnesses, type WitnessOptions } from '../../src/log/witnesses.ts';
import type { Store } from '../../src/store/contract.ts';
import { emptyLog, entry, LOG_KEY, ORIGIN, START, sequence } from '../made/log.ts';

/** A witness that keeps the protocol, unless a test tells it otherwise. */
class FakeWitness {
  readonly name: string;
  readonly key;
  size = 0;
  root = nodeHost.sha256(new Uint8Array(0));
  /** The `old` of each request. */
  readonly asked: number[] = [];
  misbehave: ((body: Uint8Array) => Response | Promise<Response> | undefined) | undefined;

  constructor(name: string) {
    this.name = name;
    const seed = nodeHost.sha256(utf8(name));
    this.key = signingKey(nodeHost, `${name}.example`, seed, SIGNATURE_TYPE.cosignature);
  }

  async answer(body: Uint8Array): Promise<Response> {
    const { oldSize, proof, checkpoint } = parseAddCheckpoint(body);
    this.asked.push(oldSize);
    const misbehaviour = this.misbehave?.(body);
    if (misbehaviour !== undefined) return misbehaviour;
    const opened = openCheckpoint(checkpoint, ORIGIN, [noteVerifier(LOG_KEY)]);
    if (!opened.ok) return new Response(null, { status: 403 });
    // The log's own signatures only: witnesses cut long requests off.
    expect(opened.note.signatures).toHaveLength(1);
    const { size, root } = opened.checkpoint;
    if (oldSize !== this.size) return new Response(formatConflict(this.size), { status: 409 });
    const claim = { oldSize, oldRoot: this.root, newSize: size, newRoot: root, proof };
    if (!checkConsistency(nodeHost, claim).ok) return new Response(null, { status: 422 });
    [this.size, this.root] = [size, root];
    return new Response(this.cosign(opened.note.text));
  }

  cosign(text: string): Uint8Array<ArrayBuffer> {
    const signer = cosignatureSigner(this.key, Math.floor(START / 1000));
    return new Uint8Array(formatCosignatures(signNote(text, [signer]).signatures));
  }
}

function policyOf(witnesses: readonly FakeWitness[], quorum: string): TlogPolicy {
  const lines = witnesses.map(
    ({ name, key }) => `witness ${name} ${formatVerifierKey(key)} https://${name}.example/\n`,
  );
  const names = witnesses.map(({ name }) => name).join(' ');
  const text = `${lines.join('')}group any2 2 ${names}\nquorum ${quorum}\n`;
  return parseTlogPolicy(nodeHost, utf8(text));
}

function network(witnesses: readonly FakeWitness[]): typeof fetch {
  return async (url, init) => {
    const { hostname, pathname } = new URL(String(url));
    expect(pathname).toBe('/add-checkpoint');
    const witness = witnesses.find(({ name }) => `${name}.example` === hostname);
    return witness!.answer(init!.body as Uint8Array);
  };
}

const names = ['w1', 'w2', 'w3'];

/** A log with three witnesses, and what they are asked with. */
async function witnessed(size: number, more: Partial<WitnessOptions> = {}) {
  const disk = await emptyLog();
  const witnesses = names.map((name) => new FakeWitness(name));
  const absent: string[] = [];
  const store = disk.open();
  const options: WitnessOptions = {
    store,
    host: nodeHost,
    policy: policyOf(witnesses, 'any2'),
    fetch: network(witnesses),
    onAbsent: (name) => absent.push(name),
    grace: 20,
    timeout: 1000,
    ...more,
  };
  const grow = async (entries: number) => {
    const log = await sequence(store);
    const texts = Array.from({ length: entries }, (_, i) => entry(i));
    if (entries > 0) await log.append({ entries: texts });
    await log.close();
    return log.committed();
  };
  return { disk, store, witnesses, options, absent, grow, tree: await grow(size) };
}

const [first, second] = [0, 1];

describe('collecting cosignatures', () => {
  test('the cosigned note meets the quorum and keeps the log’s signature', async () => {
    const { options, tree } = await witnessed(3);
    const note = await openWitnesses(options).cosign(tree);
    expect(checkQuorum(options.policy, parseNote(note!))).toMatchObject({ ok: true });
    expect(openCheckpoint(note!, ORIGIN, [noteVerifier(LOG_KEY)])).toMatchObject({ ok: true });
    expect(parseNote(note!).signatures).toHaveLength(1 + 3);
  });

  test('each witness is asked from the size that it is known to hold', async () => {
    const { options, tree, witnesses, grow } = await witnessed(3);
    const { cosign } = openWitnesses(options);
    await cosign(tree);
    await cosign(await grow(500));
    expect(witnesses[first]!.asked).toEqual([0, 3]);
    expect(witnesses[first]!.size).toBe(503);
  });

  test('the same tree is cosigned again, without a proof', async () => {
    const { options, tree, witnesses } = await witnessed(3);
    const { cosign } = openWitnesses(options);
    await cosign(tree);
    expect(await cosign(tree)).toBeDefined();
    expect(witnesses[first]!.asked).toEqual([0, 3]);
  });

  test('a 409 tells the size to prove from, and the question is put once more', async () => {
    const { options, tree, witnesses, grow } = await witnessed(3);
    await openWitnesses(options).cosign(tree);
    // A new process, which has forgotten what the witnesses know.
    expect(await openWitnesses(options).cosign(await grow(4))).toBeDefined();
    expect(witnesses[first]!.asked).toEqual([0, 0, 3]);
  });

  test('one absent witness of three does not stop a quorum of two', async () => {
    const { options, tree, witnesses, absent } = await witnessed(3);
    witnesses[second]!.misbehave = () => new Response(null, { status: 503 });
    const note = await openWitnesses(options).cosign(tree);
    expect(checkQuorum(options.policy, parseNote(note!))).toMatchObject({ ok: true });
    expect(absent).toEqual(['w2']);
  });

  test('a witness that never answers is waited for no longer than the grace', async () => {
    const { options, tree, witnesses } = await witnessed(3, { timeout: 60_000 });
    witnesses[second]!.misbehave = () => new Promise<Response>(() => {});
    expect(await openWitnesses(options).cosign(tree)).toBeDefined();
  });

  test('two absent witnesses of three leave the quorum missing', async () => {
    const { options, tree, witnesses } = await witnessed(3);
    for (const witness of witnesses.slice(1)) {
      witness.misbehave = () => new Response(null, { status: 500 });
    }
    expect(await openWitnesses(options).cosign(tree)).toBeUndefined();
  });

  test('a policy that its askable witnesses cannot meet is refused', async () => {
    const { options, witnesses } = await witnessed(0);
    const lines = witnesses.map(({ name, key }) => `witness ${name} ${formatVerifierKey(key)}\n`);
    const policy = parseTlogPolicy(nodeHost, utf8(`${lines.join('')}quorum w1\n`));
    expect(() => openWitnesses({ ...options, policy })).toThrowWithCode('bad-policy');
  });

  test('without a quorum nobody is waited for beyond the grace', async () => {
    const { options, tree, witnesses } = await witnessed(3);
    for (const witness of witnesses) witness.misbehave = () => new Promise<Response>(() => {});
    const policy = policyOf(witnesses, 'none');
    expect(await openWitnesses({ ...options, policy }).cosign(tree)).toEqual(tree.note);
  });
});

describe('a witness counts as absent that', () => {
  const text = (tree: SignedTree) => parseNote(tree.note).text;
  const stranger = new FakeWitness('stranger');

  test.each<[string, (witness: FakeWitness, tree: SignedTree) => Response]>([
    ['answers 409 twice', () => new Response('2\n', { status: 409 })],
    ['answers 409 with a larger tree', () => new Response('99\n', { status: 409 })],
    ['answers 409 with nonsense', () => new Response('02\n', { status: 409 })],
    ['answers 409 without end', () => new Response('1'.repeat(1_000_000), { status: 409 })],
    ['answers 200 without end', () => new Response('x'.repeat(MAX_COSIGNATURES_BYTES + 1))],
    ['answers 200 with nothing', () => new Response('')],
    ['answers 200 with nonsense', () => new Response('signed\n')],
    [
      'answers with the cosignature of a stranger',
      (_, tree) => new Response(stranger.cosign(text(tree))),
    ],
    [
      'signs another tree',
      (witness) => new Response(witness.cosign(`${ORIGIN}\n1\n${btoa('x'.repeat(32))}\n`)),
    ],
    [
      'breaks its signature',
      (witness, tree) => {
        const bytes = witness.cosign(text(tree));
        const at = bytes.length - 10;
        bytes[at] = bytes[at] === 65 ? 66 : 65;
        return new Response(bytes);
      },
    ],
    ['redirects', () => Response.redirect('https://elsewhere.example/')],
    ['answers 404', () => new Response('unknown log', { status: 404 })],
  ])('%s', async (_, misbehaviour) => {
    const { options, tree, witnesses, absent } = await witnessed(3);
    const [witness] = witnesses;
    witness!.misbehave = () => misbehaviour(witness!, tree);
    const note = await openWitnesses(options).cosign(tree);
    expect(absent).toEqual(['w1']);
    expect(parseNote(note!).signatures).toHaveLength(1 + 2);
    expect(witness!.asked.length).toBeLessThanOrEqual(2);
  });

  test('cannot be reached', async () => {
    const { options, tree, absent } = await witnessed(3, {
      fetch: async () => {
        throw new TypeError('fetch failed');
      },
    });
    expect(await openWitnesses(options).cosign(tree)).toBeUndefined();
    expect(absent).toEqual(names);
  });

  test('takes too long', async () => {
    const { options, tree, absent } = await witnessed(3, {
      timeout: 5,
      fetch: (_, init) =>
        new Promise((_, reject) => {
          init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason));
        }),
    });
    expect(await openWitnesses(options).cosign(tree)).toBeUndefined();
    expect(absent).toEqual(names);
  });

  test('is asked anew after it claimed a larger tree: a lie does not shut it out for ever', async () => {
    const { options, tree, witnesses } = await witnessed(3);
    const [witness] = witnesses;
    witness!.misbehave = () => new Response('99\n', { status: 409 });
    const { cosign } = openWitnesses(options);
    await cosign(tree);
    witness!.misbehave = undefined;
    expect(parseNote((await cosign(tree))!).signatures).toHaveLength(1 + 3);
  });
});

describe('a start', () => {
  /** A log whose witnesses have seen it at this size, and a start of it as it was before that. */
  async function restored(seen: number) {
    const { disk, options, witnesses, grow } = await witnessed(2);
    const old = disk.copy();
    const { cosign } = openWitnesses(options);
    await cosign(await grow(seen - 2));
    const start = async () => {
      const store = old.open();
      const log = await sequence(store, openWitnesses({ ...options, store }));
      await log.close();
    };
    return { witnesses, start };
  }

  test('is refused when one witness has seen a larger tree', async () => {
    const { witnesses, start } = await restored(5);
    for (const witness of witnesses.slice(1)) {
      witness.misbehave = () => new Response(null, { status: 503 });
    }
    await expect(start()).rejects.toThrowWithCode('rolled-back');
    await expect(start()).rejects.toThrow(/size 5, this one has 2 \(w1\).*restore the newest/);
  });

  test('is refused when a witness has seen another tree', async () => {
    const { witnesses, start } = await restored(2);
    witnesses[first]!.size = 1;
    witnesses[first]!.root = new Uint8Array(32).fill(9);
    await expect(start()).rejects.toThrowWithCode('fork');
  });

  test('is not refused by witnesses that agree, say nothing, or talk nonsense', async () => {
    const { witnesses, start } = await restored(2);
    witnesses[first]!.misbehave = () => new Response(null, { status: 500 });
    witnesses[second]!.misbehave = () => new Response('02\n', { status: 409 });
    await start();
  });

  test('is not refused when the larger tree was committed by another process meanwhile', async () => {
    const { store, options, grow } = await witnessed(2);
    const other = openWitnesses(options);
    let asked = false;
    const objection: typeof other.objection = async (tree) => {
      if (!asked) await other.cosign(await grow(3));
      asked = true;
      return openWitnesses(options).objection(tree);
    };
    const log = await sequence(store, { objection });
    expect(log.committed().size).toBe(5);
    await log.close();
  });
});

describe('a log that awaits its witnesses', () => {
  async function waiting() {
    const { store, disk, options, witnesses } = await witnessed(0);
    for (const witness of witnesses) {
      witness.misbehave = () => new Response(null, { status: 503 });
    }
    const log = await sequence(store as Store, { ...openWitnesses(options), patience: 20 });
    const heal = () => {
      for (const witness of witnesses) witness.misbehave = undefined;
    };
    return { log, disk, options, heal };
  }

  test('answers that an entry is committed and not yet published', async () => {
    const { log, disk } = await waiting();
    const before = disk.bytes('log/checkpoint');
    expect(await log.append({ entries: [entry('a')] })).toEqual({
      index: 0,
      size: 1,
      published: false,
    });
    expect(log.committed().size).toBe(1);
    expect(disk.bytes('log/checkpoint')).toEqual(before);
    await log.close();
  });

  test('publishes the newest tree by itself once the witnesses are back', async () => {
    const { log, disk, options, heal } = await waiting();
    await log.append({ entries: [entry('a')] });
    await log.append({ entries: [entry('b')] });
    heal();
    expect(await log.append({ entries: [entry('c')] })).toMatchObject({ index: 2 });
    await log.close();
    const published = parseNote(disk.bytes('log/checkpoint'));
    expect(published.text).toMatch(/^log\.example\n3\n/);
    expect(checkQuorum(options.policy, published)).toMatchObject({ ok: true });
  });

  test('adds the cosignatures to a tree that was published without them', async () => {
    const { store, disk, options } = await witnessed(2);
    expect(parseNote(disk.bytes('log/checkpoint')).signatures).toHaveLength(1);
    const log = await sequence(store, openWitnesses(options));
    await log.close();
    expect(checkQuorum(options.policy, parseNote(disk.bytes('log/checkpoint')))).toMatchObject({
      ok: true,
    });
  });

  test('stops when a published checkpoint of the same size has another root', async () => {
    const { log, disk, heal } = await waiting();
    await log.append({ entries: [entry('a')] });
    const root = new Uint8Array(32);
    disk.plant(
      'log/checkpoint',
      signCheckpoint({ origin: ORIGIN, size: 1, root }, [noteSigner(LOG_KEY)]),
    );
    heal();
    await log.close();
    expect(log.unready()).toMatch(/forked/);
  });
});
