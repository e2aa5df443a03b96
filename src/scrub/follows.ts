/** What an entry of the log makes true: documents, to the byte, and the statements that it names. */
import type { Digest } from '../core/digest.ts';
import type { Entry } from '../core/log/entry.ts';
import { parseNamespace, parseReleaseName, skeleton } from '../core/release/name.ts';
import { revisionOf } from '../core/release/revision.ts';
import { labelForm, loggedForm } from '../registry/documents/decision.ts';
import { skeletonForm } from '../registry/documents/namespace.ts';
import { releaseForm, revisionForm } from '../registry/documents/release.ts';
import { type Key, keys } from '../store/keys.ts';

export interface Follows {
  readonly key: Key;
  readonly bytes: Uint8Array;
}

/** The documents that are written once, with the entry at `index`. */
export function documentsOf(entry: Entry, index: number): readonly Follows[] {
  switch (entry.kind) {
    case 'release': {
      const name = parseReleaseName(entry.release);
      const { kind: _, ...said } = entry;
      const { release, digest } = entry;
      const revision = revisionForm.format({ v: 1, release, digest });
      return [
        { key: keys.release(name), bytes: releaseForm.format({ ...said, index }) },
        { key: keys.revision(name, revisionOf(digest)), bytes: revision },
      ];
    }
    case 'commitment': {
      const { label, commit, time } = entry;
      const bytes = labelForm.format({ v: 1, index, time, commit });
      return [{ key: keys.label(label), bytes }];
    }
    case 'announcement':
      return [{ key: keys.announcement(entry.statement), bytes: loggedAt(index) }];
    case 'void': {
      const key = keys.voided(parseNamespace(entry.namespace), entry.label);
      return [{ key, bytes: loggedAt(index) }];
    }
    case 'namespace': {
      // A namespace that looks like an earlier one leaves the earlier one's note.
      if (entry.override !== undefined) return [];
      const namespace = parseNamespace(entry.namespace);
      const bytes = skeletonForm.format({ v: 1, namespace });
      return [{ key: keys.skeleton(skeleton(namespace)), bytes }];
    }
    default:
      return [];
  }
}

/** The statements that the entry names, the manifest of a release among them. */
export function statementsOf(entry: Entry): readonly Digest[] {
  switch (entry.kind) {
    case 'namespace':
    case 'policy':
      return [entry.policy, ...entry.signed];
    case 'release': {
      const { digest, model_sig, release_dsse, decisions, verdict, intent } = entry;
      const all = [digest, model_sig, release_dsse, decisions, verdict, intent];
      return all.filter((named) => named !== undefined);
    }
    case 'advisory':
    case 'announcement':
      return [entry.statement];
    case 'void':
      return [entry.statement, ...entry.signed];
    default:
      return [];
  }
}

function loggedAt(index: number): Uint8Array {
  return loggedForm.format({ v: 1, index });
}
