/**
 * The right to write one part of an upload, which the next writer of the same part takes
 * over: a client that lost its connection sends the part again while the server still waits
 * for the rest of the first one.
 */
import { CodedError } from '../../core/error.ts';
import { ignore } from './disk.ts';

export class Claim {
  /** Rejects with `conflict` when the claim was taken over. */
  readonly lost: Promise<never>;
  readonly #lose: (reason: CodedError) => void;
  readonly #ended: Promise<void>;
  readonly #end: () => void;
  readonly #claims: Map<number, Claim>;
  readonly #number: number;

  private constructor(claims: Map<number, Claim>, number: number) {
    const lost = Promise.withResolvers<never>();
    const ended = Promise.withResolvers<void>();
    this.lost = lost.promise;
    this.lost.catch(ignore); // it may be taken over while nobody listens
    this.#lose = lost.reject;
    this.#ended = ended.promise;
    this.#end = ended.resolve;
    this.#claims = claims;
    this.#number = number;
  }

  /** Claims part `number`, after whoever writes it now has ended. */
  static async take(claims: Map<number, Claim>, number: number): Promise<Claim> {
    for (let other = claims.get(number); other !== undefined; other = claims.get(number)) {
      await other.revoke();
    }
    const claim = new Claim(claims, number);
    claims.set(number, claim);
    return claim;
  }

  /** Takes the claim away; resolves when its holder has ended. */
  revoke(): Promise<void> {
    this.#lose(
      new CodedError('conflict', `part ${this.#number} is sent anew, or its upload has ended`),
    );
    return this.#ended;
  }

  /** To be called by its holder, when none of its writes is under way. */
  end(): void {
    this.#claims.delete(this.#number);
    this.#end();
  }
}
