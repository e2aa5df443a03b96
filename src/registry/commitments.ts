/**
 * Commitments: what enters the log of a decision before anybody can read it. Here nothing is
 * known of it but two hashes, so nothing can be asked of it either: not whose it is, not which
 * draft it is about. Its document is staged with its entry, so that from the commit on every
 * guard finds it.
 */
import { CodedError } from '../core/error.ts';
import { formatEntry } from '../core/log/entry.ts';
import type { Item, View } from '../log/item.ts';
import { keys } from '../store/keys.ts';
import { requireMember } from './access.ts';
import { labelForm } from './documents/decision.ts';
import { load } from './documents/form.ts';
import type { BlindCommitment } from './gate-shapes.ts';
import type { RegistryParts } from './parts.ts';
import { placeOf } from './policy-book.ts';
import type { Caller } from './registry.ts';

export class Commitments {
  readonly #parts: RegistryParts;

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  /** For anybody with a role in any namespace: which one it is about, nobody can know. */
  async commit(caller: Caller, { label, commit }: BlindCommitment): Promise<{ index: number }> {
    requireMember(caller);
    for (const text of [label, commit]) {
      if (/^[0-9a-f]{64}$/.test(text)) continue;
      throw new CodedError('bad-document', 'label and commit are 64 lower-case hex digits each');
    }
    return { index: await this.append({ label, commit }) };
  }

  /** Logs it, or finds it logged. Throws `conflict` when the label stands for something else. */
  async append(
    commitment: BlindCommitment,
    guard: (view: View) => Promise<void> = async () => {},
  ): Promise<number> {
    const known = await this.#find(commitment);
    if (known !== undefined) return known;
    try {
      return (await this.#parts.log.append(itemOf(commitment, guard))).index;
    } catch (error) {
      // The same one may have come twice, or the answer to its first append was lost.
      const first = await this.#find(commitment);
      if (first === undefined) throw error;
      return first;
    }
  }

  async #find({ label, commit }: BlindCommitment): Promise<number | undefined> {
    const held = await load(this.#parts.store, keys.label(label), labelForm);
    if (held === undefined || held.value.commit === commit) return held?.value.index;
    throw taken(label);
  }
}

function itemOf({ label, commit }: BlindCommitment, guard: (view: View) => Promise<void>): Item {
  return {
    async guard(view) {
      if ((await view.document(keys.label(label))) !== undefined) throw taken(label);
      await guard(view);
    },
    // The time is the attempt's own, which never runs backwards.
    entries: async (view) => {
      const { time } = placeOf(view);
      return [formatEntry({ v: 1, kind: 'commitment', time, label, commit })];
    },
    documents: async (view) => {
      const bytes = labelForm.format({ v: 1, ...placeOf(view), commit });
      return [{ kind: 'immutable', key: keys.label(label), bytes }];
    },
  };
}

function taken(label: string): CodedError {
  return new CodedError('conflict', `the label ${label} is in the log with another commitment`, {
    label,
  });
}
