/** Small documents of which nothing else tells what they were: they must be there, and parse. */

import * as v from 'valibot';
import { equal } from '../../core/bytes.ts';
import type { Host } from '../../core/host.ts';
import { parseCanonical } from '../../core/json.ts';
import { instant, parseShape } from '../../core/shape.ts';
import { parseStaging } from '../../log/staging.ts';
import { CLAIM, publicClaimForm } from '../../registry/documents/content.ts';
import { damageForm } from '../../registry/documents/damage.ts';
import {
  decisionForm,
  labelForm,
  loggedForm,
  twinsForm,
  unloggedForm,
} from '../../registry/documents/decision.ts';
import { draftForm } from '../../registry/documents/draft.ts';
import { fileForm } from '../../registry/documents/file.ts';
import { publishersForm } from '../../registry/documents/publishers.ts';
import { quotaForm } from '../../registry/documents/quota.ts';
import { markerForm } from '../../registry/documents/release.ts';
import { sealingForm } from '../../registry/documents/sealing.ts';
import { partForm, uploadForm } from '../../registry/documents/upload.ts';
import type { Key } from '../../store/keys.ts';
import { type Kind, kindOf } from '../kinds.ts';
import { passForm } from '../pass-form.ts';
import type { Problem } from './parts.ts';

const revokedShape = v.strictObject({ v: v.literal(1), revoked: instant });

type Parse = (bytes: Uint8Array, key: Key, host: Host) => unknown;

/** Throws for a document that is not of its kind. */
const PARSERS: Partial<Readonly<Record<Kind, Parse>>> = {
  draft: (bytes) => draftForm.parse(bytes),
  draftFile: (bytes) => fileForm.parse(bytes),
  upload: (bytes) => uploadForm.parse(bytes),
  uploadPart: (bytes) => partForm.parse(bytes),
  intent: (bytes) => markerForm.parse(bytes),
  unlogged: (bytes) => unloggedForm.parse(bytes),
  sealing: (bytes) => sealingForm.parse(bytes),
  quota: (bytes) => quotaForm.parse(bytes),
  publishers: (bytes) => publishersForm.parse(bytes),
  twins: (bytes) => twinsForm.parse(bytes),
  label: (bytes) => labelForm.parse(bytes),
  decision: (bytes) => decisionForm.parse(bytes),
  voided: (bytes) => loggedForm.parse(bytes),
  announcement: (bytes) => loggedForm.parse(bytes),
  damaged: (bytes) => damageForm.parse(bytes),
  scrub: (bytes) => passForm.parse(bytes),
  staging: (bytes, key, host) => parseStaging(host, bytes, key),
  revoked: (bytes, key) => parseShape(revokedShape, parseCanonical(bytes, key), key),
};

/** Documents that say all that they say by being there. */
const MARKS: Partial<Readonly<Record<Kind, Uint8Array>>> = {
  claim: CLAIM,
  exchanged: new Uint8Array(1),
};

export function checkForm(host: Host, key: Key, bytes: Uint8Array): Problem | undefined {
  const kind = kindOf(key);
  if (kind === 'publicClaim') return checkPublicClaim(bytes);
  const mark = kind && MARKS[kind];
  if (mark !== undefined) return equal(bytes, mark) ? undefined : notItself(mark);
  if (kind !== undefined) PARSERS[kind]?.(bytes, key, host);
  return undefined;
}

/** Whose it was cannot be told any more; one that names nobody lets nobody do anything. */
function checkPublicClaim(bytes: Uint8Array): Problem | undefined {
  try {
    publicClaimForm.parse(bytes);
    return undefined;
  } catch {
    return notItself(publicClaimForm.format({ v: 1 }));
  }
}

function notItself(right: Uint8Array): Problem {
  return { problem: 'damaged', detail: 'it is not the mark that it was', right };
}
