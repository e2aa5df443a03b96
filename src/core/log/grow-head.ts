/**
 * How a namespace's head follows from the log: entry by entry. The registry makes heads this
 * way and the auditor makes them again.
 */
import { type Namespace, parseNamespace, parseReleaseName } from '../release/name.ts';
import type { Entry } from './entry.ts';
import type { Head } from './heads.ts';

/** The namespace whose head `entry` changes, or undefined when it changes none. */
export function namespaceOfEntry(entry: Entry): Namespace | undefined {
  switch (entry.kind) {
    case 'namespace':
    case 'policy':
      return parseNamespace(entry.namespace);
    case 'release':
    case 'advisory':
      return parseReleaseName(entry.release).namespace;
    default:
      return undefined;
  }
}

/** The head of a namespace whose first entry stands at `index`. */
export function beginHead(namespace: Namespace, index: number): Head {
  return { v: 1, namespace, policy: index, releases: {}, advisories: [] };
}

/** The head after `entry`, which is of this namespace and stands at `index`. */
export function growHead(head: Head, entry: Entry, index: number): Head {
  switch (entry.kind) {
    case 'policy':
      return { ...head, policy: index };
    case 'release': {
      const { name } = parseReleaseName(entry.release);
      return { ...head, releases: { ...head.releases, [name]: index } };
    }
    case 'advisory':
      return { ...head, advisories: [...head.advisories, index] };
    default:
      return head;
  }
}
