/**
 * The part of the native API that the release gate is made of: policies, commitments and the
 * decisions behind them, announcements. As `api.ts`: nothing of it is trusted before it was
 * checked against the log.
 */
import { formatBase64 } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import type { Commitment } from '../core/release/commitment.ts';
import { DECISIONS_LIMITS } from '../core/release/decisions.ts';
import { MAX_REPORT_BYTES } from '../core/release/documents.ts';
import type { ReleaseName } from '../core/release/name.ts';
import { type Envelope, envelopeToJson } from '../core/statement/dsse.ts';
import * as answers from './answers.ts';
import { type CallOptions, PublicApi, releasePath } from './public-api.ts';

/** What opens a commitment. */
export interface OpeningToSend {
  /** Log index of the commitment. */
  readonly index: number;
  /** Hex. */
  readonly salt: string;
  readonly envelope: Envelope;
}

export class GateApi extends PublicApi {
  /** May be repeated: the same commitment has the same index. */
  commit({ label, commit }: Commitment, options: CallOptions = {}) {
    const call = { method: 'POST', path: '/api/v1/commitments', repeatable: true } as const;
    return this.http.json(answers.logged, { ...call, json: { label, commit }, ...options });
  }

  /** Opens the commitment at `index`. */
  decide(release: ReleaseName, opening: OpeningToSend, options: CallOptions = {}) {
    const { index, salt, envelope } = opening;
    const json = { index, salt, envelope: envelopeToJson(envelope) };
    const path = `${draftPath(release)}/decisions`;
    const call = { method: 'POST', path, json, repeatable: true, ...options } as const;
    return this.http.json(answers.recordedDecision, call);
  }

  decisions(release: ReleaseName, options: CallOptions = {}) {
    const path = `${draftPath(release)}/decisions`;
    const maxBytes = DECISIONS_LIMITS.maxBytes;
    return this.http.json(answers.draftDecisions, { path, maxBytes, ...options });
  }

  putReport(release: ReleaseName, report: Uint8Array, options: CallOptions = {}) {
    const call = { method: 'PUT', path: `${draftPath(release)}/reports` } as const;
    return this.http.json(answers.storedReport, { ...call, octets: report, ...options });
  }

  /** A report that a published release reveals. */
  report(release: ReleaseName, digest: Digest, options: CallOptions = {}): Promise<Uint8Array> {
    const path = `${releasePath(release)}/reports/${digest}`;
    return this.http.bytes({ path, maxBytes: MAX_REPORT_BYTES, ...options });
  }

  /** May be repeated: the same policy has the same index. */
  setPolicy(
    namespace: string,
    change: { readonly policy: Uint8Array; readonly signed: readonly Envelope[] },
    options: CallOptions = {},
  ) {
    const signed = change.signed.map(envelopeToJson);
    const json = { policy: formatBase64(change.policy), signed };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/policy`;
    const call = { method: 'POST', path, json, repeatable: true, ...options } as const;
    return this.http.json(answers.policyLogged, call);
  }

  announce(envelope: Envelope, options: CallOptions = {}) {
    const json = { envelope: envelopeToJson(envelope) };
    const call = { method: 'POST', path: '/api/v1/announcements', repeatable: true } as const;
    return this.http.json(answers.logged, { ...call, json, ...options });
  }

  announcement(index: number, options: CallOptions = {}) {
    const path = `/api/v1/announcements/${index}`;
    return this.http.json(answers.announcement, { path, ...options });
  }

  /** The owners’ word that a commitment which nobody opens no longer blocks. */
  voidLabel(
    request: {
      readonly namespace: string;
      readonly label: string;
      readonly signed: readonly Envelope[];
    },
    options: CallOptions = {},
  ) {
    const json = { ...request, signed: request.signed.map(envelopeToJson) };
    const call = { method: 'POST', path: '/api/v1/voids', repeatable: true } as const;
    return this.http.json(answers.logged, { ...call, json, ...options });
  }

  voided(index: number, options: CallOptions = {}) {
    return this.http.json(answers.voided, { path: `/api/v1/voids/${index}`, ...options });
  }
}

export function draftPath({ namespace, name, version }: ReleaseName): string {
  return `/api/v1/drafts/${namespace}/${name}/${version}`;
}
