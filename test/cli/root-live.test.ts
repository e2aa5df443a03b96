/** What a registry that runs makes of a newer trust root. */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { formatDigest } from '../../src/core/digest.ts';
import { openCheckpoint } from '../../src/core/log/checkpoint.ts';
import { openTileTree } from '../../src/core/log/tile-tree.ts';
import { parseVerifierKey, signingKey } from '../../src/core/note/key.ts';
import { noteVerifier } from '../../src/core/note/note.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { openEnvelope, parseEnvelope } from '../../src/core/statement/dsse.ts';
import { keyId } from '../../src/core/statement/public-key.ts';
import { nextRoot } from '../../src/core/trust/change.ts';
import { releaseKeysAt } from '../../src/core/trust/periods.ts';
import { formatRoot, rootToSign } from '../../src/core/trust/root.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { readKeyFile } from '../../src/keyring/file.ts';
import { ed25519Seed, statementSigner } from '../../src/keyring/keys.ts';
import { openToken } from '../../src/keyring/token.ts';
import { storedTiles } from '../../src/log/reader.ts';
import { openStore } from '../../src/open-store.ts';
import { makeServerKey, openHeldKeys } from '../../src/operator/keys-directory.ts';
import { LiveTrust } from '../../src/operator/live-trust.ts';
import { publishRoot } from '../../src/operator/publish-root.ts';
import { readStoredRoot } from '../../src/operator/stored-root.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys } from '../../src/store/keys.ts';

import {
  byRoot,
  createNamespace,
  home,
  ORIGIN,
  openServer,
  place,
  rotate,
  show,
  useRegistry,
} from './root-home.ts';

useRegistry();

describe('a registry that runs', () => {
  test('takes over new release, log and token keys with the commit that brings them', async () => {
    const server = await openServer();
    const before = await home.json(...grant());
    await home.json(
      ...rotate(...byRoot(), '--new-release-key', '--new-log-key', '--new-token-key'),
    );
    const index = await createNamespace(server, 'zoo');
    expect(server.trust.root.version).toBe(2);
    const { log, release } = await show();
    expect(release).toMatchObject([{}, { from: index - 1 }]);

    const [old, young] = (log as { vkey: string }[]).map(({ vkey }) =>
      noteVerifier(parseVerifierKey(nodeHost, vkey)),
    );
    const { note } = await server.log.published();
    expect(openCheckpoint(note, ORIGIN, [young!])).toMatchObject({ ok: true });
    expect(openCheckpoint(note, ORIGIN, [old!])).toMatchObject({ ok: false });

    const after = await home.json(...grant());
    for (const { token } of [before, after]) {
      await expect(
        openToken(server.trust.tokens, String(token), Date.now()),
      ).resolves.toBeDefined();
    }
    await home.json(...rotate(...byRoot(), '--drop-token-keys'));
    await server.trust.renew();
    const opened = (token: unknown) => openToken(server.trust.tokens, String(token), Date.now());
    await expect(opened(before.token)).rejects.toThrowWithCode('not-authorised');
    await expect(opened(after.token)).resolves.toBeDefined();
  });

  test('does not go on without the new log key, and says which file it lacks', async () => {
    await copyKeys();
    const server = await openServer('elsewhere');
    await home.json(...rotate(...byRoot(), '--new-log-key'));
    await expect(createNamespace(server, 'zoo')).rejects.toThrow(
      /log key .* is not in .*elsewhere/,
    );
    expect(server.sequencer.unready()).toContain('elsewhere');
    await expect(openServer('elsewhere')).rejects.toThrowWithCode('not-found');
  });

  test('refuses tokens of a dropped key although it lacks the new one', async () => {
    await copyKeys();
    const server = await openServer('elsewhere');
    const { token } = await home.json(...grant());
    await home.json(...rotate(...byRoot(), '--new-token-key', '--drop-token-keys'));
    await server.trust.renew();
    const opening = openToken(server.trust.tokens, String(token), Date.now());
    await expect(opening).rejects.toThrowWithCode('not-authorised');
    expect(() => server.trust.tokens.signing).toThrowWithCode('not-found');
  });

  test('starts without the files of keys that have ended', async () => {
    const all = ['--new-release-key', '--new-log-key', '--new-token-key', '--drop-token-keys'];
    await home.json(...rotate(...byRoot(), ...all));
    for (const name of ['release.key', 'log.key', 'token.key']) {
      await rm(home.path('keys', name));
    }
    await createNamespace(await openServer(), 'zoo');
    await home.json(...grant());
  });

  test('does not believe a root that the root keys did not sign', async () => {
    await home.json(...rotate(...byRoot()));
    const store = await openStore(home.path('store'));
    const { bytes } = (await store.get(keys.root(2)))!;
    await store.create(keys.root(3), bytes);
    const opening = LiveTrust.open({
      store,
      host: nodeHost,
      keysDirectory: home.path('keys'),
      passphrase: undefined,
    });
    await expect(opening).rejects.toThrowWithCode('untrusted');
  });

  test('signs every entry with the key of its place, while keys change beneath it', async () => {
    const server = await openServer();
    const names = Array.from({ length: 12 }, (_, i) => `race${'abcdefghjkmn'[i]}`);
    const begin = async () => {
      for (const name of names) await createNamespace(server, name);
    };
    const change = async () => {
      for (let i = 0; i < 4; i++) {
        await home.json(...rotate(...byRoot(), '--new-release-key', '--new-log-key'));
      }
    };
    await Promise.all([begin(), change()]);
    await server.trust.renew();
    const { root } = server.trust;
    expect(root.version).toBe(5);
    for (const name of names) {
      const { index, signed } = await server.registry.policy(parseNamespace(name));
      const ours = parseEnvelope(signed.at(-1)!);
      const [spki] = releaseKeysAt(root, index);
      expect((await openEnvelope(nodeHost, ours, spki!)).ok).toBe(true);
    }
    const { size, root: newest } = await server.log.published();
    const tree = await openTileTree(
      nodeHost,
      { size, root: newest },
      storedTiles(await openStore(home.path('store'))),
    );
    for (const { end } of root.log.slice(0, -1)) {
      expect(formatDigest(await tree.rootAt(end!.size))).toBe(end!.root);
    }
  }, 30_000);

  test('finishes a rotation whose process died right after the commit', async () => {
    const real = await openStore(home.path('store'));
    const passphrase = undefined;
    const { root: before } = await readStoredRoot(nodeHost, real);
    const jwk = await makeServerKey(home.path('keys'), 'log', 2, passphrase);
    const young = signingKey(nodeHost, before.origin, ed25519Seed(jwk, 'the new log key'));
    const held = await openHeldKeys(nodeHost, home.path('keys'), passphrase);
    const signer = statementSigner(await readKeyFile(home.path('root.key'), passphrase), 'root');
    const dying = publishRoot(
      {
        store: dyingAfterCommit(real),
        host: nodeHost,
        held,
        clock: Date.now,
        random: () => crypto.getRandomValues(new Uint8Array(16)),
      },
      {
        before,
        compromised: false,
        logKey: young,
        witnessPolicy: undefined,
        async compose({ size, root }, now) {
          const place = { size, root: formatDigest(root), now };
          const document = nextRoot(nodeHost, before, { log: young }, place);
          const signature = await signer.sign(rootToSign(nodeHost, document));
          const signatures = [{ keyId: keyId(nodeHost, signer.spki), signature }];
          return formatRoot(nodeHost, { document, signatures });
        },
      },
    );
    void dying.catch(() => {});
    const lockOf = async () => String((await real.get(keys.lock()))!.bytes);
    const lock = await lockOf();
    while ((await lockOf()) === lock) await setImmediate();
    expect(await real.get(keys.root(2))).toBeUndefined();

    const server = await openServer();
    expect(server.trust.root.version).toBe(2);
    await createNamespace(server, 'zoo');
    const { note } = await server.log.published();
    expect(openCheckpoint(note, ORIGIN, [noteVerifier(young)])).toMatchObject({ ok: true });
  });

  /** A store that never answers again once the lock was swapped. */
  function dyingAfterCommit(store: Store): Store {
    let dead = false;
    return new Proxy(store, {
      get(target, name: keyof Store) {
        const value = target[name];
        if (typeof value !== 'function') return value;
        if (name === 'list') return value.bind(target);
        return async (...given: never[]) => {
          if (dead) return new Promise(() => {});
          if (name === 'swap' && String(given[0]) === keys.lock()) dead = true;
          return (value as (...given: never[]) => unknown).apply(target, given);
        };
      },
    });
  }

  const grant = () => ['token', 'create', ...place(), '--subject', 'ci', '--role', 'operator'];

  /** The keys of now, for a server on another machine. */
  async function copyKeys(): Promise<void> {
    await mkdir(home.path('elsewhere'));
    for (const name of await readdir(home.path('keys'))) {
      await copyFile(home.path('keys', name), home.path('elsewhere', name));
    }
  }
});
