/**
 * The log's side of C2SP tlog-witness: asks the witnesses of a policy to cosign a committed
 * tree, and counts whether the quorum is met.
 *
 * A witness is believed in nothing but its signature. Its cosignature is verified before it
 * counts; an error, a time-out or nonsense makes it absent for this tree and is no verdict on
 * the log; a 409 tells the size it knows, from which the proof is made once more. One that is
 * slow does not hold up the others: when the quorum is there, the rest get a moment longer.
 *
 * At a start it is another matter. A witness that says it has seen a larger tree, or another
 * one, than the store holds is the only one who can know that the store was restored from an
 * older copy: the log does not go on before a person has looked.
 */
import { concat } from '../core/bytes.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { openTileTree } from '../core/log/tile-tree.ts';
import { meetsQuorum, type PolicyWitness, type TlogPolicy } from '../core/log/tlog-policy.ts';
import {
  formatAddCheckpoint,
  MAX_CONFLICT_BYTES,
  MAX_COSIGNATURES_BYTES,
  parseConflict,
  parseCosignatures,
} from '../core/log/witness.ts';
import {
  type Cosignature,
  cosignatureVerifier,
  openCosignatures,
} from '../core/note/cosignature.ts';
import { SIGNATURE_TYPE } from '../core/note/key.ts';
import { addSignatures, formatNote, parseNote, type UnverifiedNote } from '../core/note/note.ts';
import type { Store } from '../store/contract.ts';
import type { Cosign, SignedTree } from './publisher.ts';
import { storedTiles } from './reader.ts';
import { headOf, type Objection } from './recover.ts';

/** How long a witness may take, in milliseconds. */
const DEFAULT_TIMEOUT = 5000;
/** How long the others are waited for once the quorum is met, in milliseconds. */
const DEFAULT_GRACE = 100;

export interface WitnessOptions {
  readonly store: Store;
  readonly host: Host;
  readonly policy: TlogPolicy;
  readonly timeout?: number;
  readonly grace?: number;
  readonly fetch?: typeof fetch;
  /** Told of each answer that did not count. */
  readonly onAbsent?: (witness: string, cause: unknown) => void;
}

export interface Witnesses {
  readonly cosign: Cosign;
  readonly objection: Objection;
}

/** Asks the policy's witnesses. Throws `bad-policy` when those with a URL cannot make the quorum. */
export function openWitnesses(options: WitnessOptions): Witnesses {
  const { policy } = options;
  const witnesses = policy.witnesses
    .filter(canBeAsked)
    .map((witness) => new Witness(witness, options));
  if (!meetsQuorum(policy, new Set(witnesses.map(({ name }) => name)))) {
    throw new CodedError(
      'bad-policy',
      'the witness policy cannot be met: too few of its witnesses have a submission URL and an Ed25519 cosignature key; add them',
    );
  }
  return {
    cosign: (tree) => collect(options, witnesses, tree),
    objection: async (tree) => {
      const answers = await Promise.all(witnesses.map((witness) => witness.objection(tree)));
      return answers.find((answer) => answer !== undefined);
    },
  };
}

/** The cosigned note, or undefined when the quorum is missing. */
async function collect(
  { policy, grace }: WitnessOptions,
  witnesses: readonly Witness[],
  tree: SignedTree,
): Promise<Uint8Array | undefined> {
  const note = parseNote(tree.note);
  const found = new Map<string, Cosignature>();
  const isMet = () => meetsQuorum(policy, new Set(found.keys()));
  await new Promise<void>((resolve) => {
    const late = () => setTimeout(resolve, grace ?? DEFAULT_GRACE);
    let timer = isMet() ? late() : undefined;
    const answers = witnesses.map(async (witness) => {
      const cosignature = await witness.cosign(tree, note);
      if (cosignature !== undefined) found.set(witness.name, cosignature);
      if (isMet()) timer ??= late();
    });
    void Promise.all(answers).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  if (!isMet()) return undefined;
  const inOrder = policy.witnesses.flatMap(({ name }) => found.get(name) ?? []);
  return inOrder.length === 0 ? tree.note : formatNote(addSignatures(note, inOrder));
}

/** One witness, and what it is known to have seen. */
class Witness {
  readonly name: string;
  readonly #key: PolicyWitness['key'];
  readonly #url: string;
  readonly #options: WitnessOptions;
  /** Size of the newest tree that it is known to hold. */
  #size = 0;
  #isBusy = false;

  constructor(
    { name, key, url }: PolicyWitness & { readonly url: string },
    options: WitnessOptions,
  ) {
    this.name = name;
    this.#key = key;
    this.#url = `${url.replace(/\/+$/, '')}/add-checkpoint`;
    this.#options = options;
  }

  /** Its cosignature of `tree`, verified, or undefined: absent. Never throws. */
  async cosign(tree: SignedTree, note: UnverifiedNote): Promise<Cosignature | undefined> {
    // One question at a time: a witness that is slow is not made slower.
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    try {
      const answer = (await this.#ask(tree)) ?? (await this.#ask(tree));
      if (answer === undefined) throw absent('answers 409 again and again');
      const cosignature = this.#open(answer, note);
      this.#size = tree.size;
      return cosignature;
    } catch (cause) {
      this.#options.onAbsent?.(this.name, cause);
      return undefined;
    } finally {
      this.#isBusy = false;
    }
  }

  /** What it has seen that `tree` does not begin with or go on from. Silence is no objection. */
  async objection(tree: SignedTree): Promise<CodedError | undefined> {
    try {
      if ((await this.#ask(tree)) === undefined) await this.#ask(tree);
      return undefined;
    } catch (cause) {
      const isObjection = isCoded(cause, 'rolled-back') || isCoded(cause, 'fork');
      return isObjection ? objectionOf(this.name, cause) : undefined;
    }
  }

  /** The body of a 200, or undefined after a 409, which has told the size to prove from. */
  async #ask(tree: SignedTree): Promise<Uint8Array | undefined> {
    const { store, host, timeout, fetch: send = fetch } = this.#options;
    if (this.#size > tree.size) {
      // Perhaps; or it lied. The next question begins anew.
      const size = this.#size;
      this.#size = 0;
      throw new CodedError(
        'rolled-back',
        `the witness says that it has seen a tree of size ${size}, this one has ${tree.size}`,
        { seen: size, now: headOf(tree) },
      );
    }
    const opened = await openTileTree(host, tree, storedTiles(store));
    const body = formatAddCheckpoint({
      oldSize: this.#size,
      proof: await opened.proveConsistency(this.#size),
      checkpoint: tree.note,
    });
    const answer = await send(this.#url, {
      method: 'POST',
      body: new Uint8Array(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeout ?? DEFAULT_TIMEOUT),
    });
    if (answer.status === 200) return readAtMost(answer, MAX_COSIGNATURES_BYTES);
    if (answer.status === 409) {
      this.#size = parseConflict(await readAtMost(answer, MAX_CONFLICT_BYTES));
      return undefined;
    }
    await answer.body?.cancel();
    if (answer.status === 422) {
      throw new CodedError(
        'fork',
        `the witness says that the tree of size ${tree.size} does not begin with the one of size ${this.#size} that it has seen`,
        { seen: this.#size, now: headOf(tree) },
      );
    }
    throw absent(`answers with status ${answer.status}`);
  }

  /** The cosignature in a 200, once it is verified: the status itself proves nothing. */
  #open(answer: Uint8Array, { text }: UnverifiedNote): Cosignature {
    const signatures = parseCosignatures(answer);
    const opened = openCosignatures({ text, signatures }, [cosignatureVerifier(this.#key)]);
    if (!opened.ok) throw new CodedError(opened.code, opened.message, opened.evidence);
    const [cosignature] = opened.cosignatures;
    if (cosignature === undefined) throw absent('answers without a signature of its own');
    return cosignature;
  }
}

/** The body, which may have `limit` bytes. */
async function readAtMost(answer: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.length;
    // Leaving the loop cancels the rest of the body.
    if (length > limit) throw absent(`answers with more than ${limit} bytes`);
    parts.push(part);
  }
  return concat(...parts);
}

/** Has it a URL, and a key whose cosignatures we can verify? */
function canBeAsked(witness: PolicyWitness): witness is PolicyWitness & { readonly url: string } {
  return witness.url !== undefined && witness.key.type === SIGNATURE_TYPE.cosignature;
}

function objectionOf(witness: string, { code, message, details }: CodedError): CodedError {
  return new CodedError(
    code,
    `${message} (${witness}): the store was restored from an older copy; restore the newest (docs/restored-backup.md), or take the witness out of the policy if it is wrong`,
    details,
  );
}

function absent(how: string): CodedError {
  return new CodedError('network', `the witness ${how}`);
}
