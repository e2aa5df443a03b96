/** The desk of a registry that is reached over its API. */
import type { Origin } from '../../core/log/checkpoint.ts';
import { envelopeFromJson, formatEnvelope, parseEnvelope } from '../../core/statement/dsse.ts';
import { openLog } from '../open-log.ts';
import type { Reader } from '../release.ts';
import type { Desk } from './desk.ts';

/** A pinned registry as signers see it. */
export function deskOf(reader: Reader, origin: Origin, signal: AbortSignal): Desk {
  const { api } = reader;
  return {
    origin,
    async draft(release) {
      const { decisions, ...rest } = await api.decisions(release, { signal });
      const shown = decisions.map(({ index, label, envelope: json }) => {
        const { payloadType, payload, signature } = envelopeFromJson(json, 'a decision');
        return { index, label, envelope: formatEnvelope(payloadType, payload, signature) };
      });
      return { ...rest, decisions: shown };
    },
    manifest: (release) => api.draftManifest(release, { signal }),
    async log() {
      const { tree, size, note } = await openLog(reader, signal);
      return {
        size,
        note,
        root: tree.head.root,
        entry: (index) => tree.entry(index),
        proveInclusion: (index) => tree.proveInclusion(index),
      };
    },
    commit: async (commitment) => (await api.commit(commitment, { signal })).index,
    record: (release, { index, salt, envelope }) =>
      api.decide(release, { index, salt, envelope: parseEnvelope(envelope) }, { signal }),
  };
}
