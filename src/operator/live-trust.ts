/**
 * The trust root of a registry that runs, and of the keys that it names those that this
 * process holds. Roots are logged by the operator's command, in another process; this one
 * looks for newer versions from time to time, and whenever another process has moved the log,
 * so that nothing is signed on top of a root with a key that the root has ended.
 *
 * A key that the root names and that does not lie here stops what would take it, and nothing
 * else: tokens of a dropped key are refused even where the new release key is still missing.
 */
import { equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import { type SigningKey, sameKey, type VerifierKey } from '../core/note/key.ts';
import type { Spki } from '../core/statement/public-key.ts';
import {
  logKeysAt,
  presentLogKey,
  presentReleaseKeys,
  releaseKeysAt,
} from '../core/trust/periods.ts';
import type { TrustRoot } from '../core/trust/succession.ts';
import { importTokenKey, type Key, type TokenKey, verifyingKeys } from '../keyring/jwt.ts';
import type { StatementSigner } from '../keyring/keys.ts';
import type { RegistryKeys } from '../registry/parts.ts';
import type { Store } from '../store/contract.ts';
import { type HeldKeys, openHeldKeys, presentTokenKey, refuseRootKey } from './keys-directory.ts';
import { readNewerRoot, readStoredRoot } from './stored-root.ts';

export interface LiveTrustOptions {
  readonly store: Store;
  readonly host: Host;
  readonly keysDirectory: string;
  readonly passphrase: string | undefined;
  /** Told of each newer root. */
  readonly onRoot?: (root: TrustRoot) => void;
}

/** A root, and what it takes to act by it. */
interface Standing {
  readonly root: TrustRoot;
  readonly held: HeldKeys;
  readonly tokenSigner: Key | undefined;
  readonly tokenVerifiers: readonly Key[];
}

export class LiveTrust implements RegistryKeys {
  readonly #options: LiveTrustOptions;
  #standing: Standing;
  /** The looks at the store, one after another: each begins after its caller asked for it. */
  #last: Promise<void> = Promise.resolve();
  /** The token keys of the moment; a live object. */
  readonly tokens: TokenKey;

  private constructor(options: LiveTrustOptions, standing: Standing) {
    this.#options = options;
    this.#standing = standing;
    const now = () => this.#standing;
    const missing = (what: string) => this.#missing(what);
    this.tokens = {
      origin: standing.root.origin,
      get signing() {
        return now().tokenSigner ?? missing('token key');
      },
      get verifying() {
        return now().tokenVerifiers;
      },
    };
  }

  /** Throws `untrusted` for keys of another registry or beside the root's, `not-found` for one that is missing. */
  static async open(options: LiveTrustOptions): Promise<LiveTrust> {
    const { host, store, keysDirectory, passphrase } = options;
    const { root } = await readStoredRoot(host, store);
    const standing = await stand(options, root);
    const { origin } = standing.held;
    if (root.origin !== origin) {
      throw new CodedError(
        'untrusted',
        `${keysDirectory} holds the keys of ${origin}, ${store.name} the registry ${root.origin}`,
      );
    }
    await refuseRootKey(host, keysDirectory, passphrase, root);
    const trust = new LiveTrust(options, standing);
    trust.#requireAll();
    return trust;
  }

  get root(): TrustRoot {
    return this.#standing.root;
  }

  get origin(): Origin {
    return this.root.origin;
  }

  /** The key that signs checkpoints now, as the sequencer takes it. Throws `not-found`. */
  get logKeys(): readonly SigningKey[] {
    const key = this.#heldLogKey(presentLogKey(this.root));
    return [key ?? this.#missing('log key')];
  }

  get formerLogKeys(): readonly VerifierKey[] {
    return this.root.log.slice(0, -1).map(({ key }) => key);
  }

  logKeyAt(size: number): VerifierKey {
    // Where two meet, the tree of that size was signed before the younger one began.
    return logKeysAt(this.root, size)[0] ?? presentLogKey(this.root);
  }

  releaseKeyAt(index: number): StatementSigner {
    for (const spki of releaseKeysAt(this.root, index)) {
      const key = this.#heldReleaseKey(spki);
      if (key !== undefined) return key;
    }
    return this.#missing('release key');
  }

  releaseKeys(index?: number): readonly Spki[] {
    if (index !== undefined) return releaseKeysAt(this.root, index);
    return this.root.release.map(({ spki }) => spki);
  }

  /** Resolves once every version that the store has by now is in force. */
  renew(): Promise<void> {
    const next = this.#last.then(() => this.#look());
    this.#last = next.catch(() => {});
    return next;
  }

  async #look(): Promise<void> {
    const { host, store, onRoot } = this.#options;
    const root = await readNewerRoot(host, store, this.root);
    if (root.version === this.root.version) return;
    this.#standing = await stand(this.#options, root, this.#standing.held);
    onRoot?.(root);
  }

  #requireAll(): void {
    const { root, tokenSigner } = this.#standing;
    void this.logKeys;
    const isHeld = (spki: Spki) => this.#heldReleaseKey(spki) !== undefined;
    if (!presentReleaseKeys(root).some(isHeld)) this.#missing('release key');
    if (tokenSigner === undefined) this.#missing('token key');
  }

  #heldLogKey(wanted: VerifierKey): SigningKey | undefined {
    return this.#standing.held.log.find((key) => sameKey(key, wanted));
  }

  #heldReleaseKey(wanted: Spki): StatementSigner | undefined {
    return this.#standing.held.release.find(({ spki }) => equal(spki, wanted));
  }

  #missing(what: string): never {
    throw new CodedError(
      'not-found',
      `the ${what} that version ${this.root.version} of the trust root names is not in ${this.#options.keysDirectory}: put its file there and restart`,
    );
  }
}

/** Files that cannot be read are no reason to go on by the root before. */
async function stand(
  { host, keysDirectory, passphrase }: LiveTrustOptions,
  root: TrustRoot,
  before?: HeldKeys,
): Promise<Standing> {
  const held = await openHeldKeys(host, keysDirectory, passphrase).catch((error: unknown) => {
    if (before !== undefined) return before;
    throw error;
  });
  const jwk = presentTokenKey(root, held.token);
  return {
    root,
    held,
    tokenSigner: jwk && (await importTokenKey(jwk)),
    tokenVerifiers: await verifyingKeys(root.token.map(({ kty, crv, x }) => ({ kty, crv, x }))),
  };
}
