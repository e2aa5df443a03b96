/** The documents of a release, by the names under which they are served and left beside it. */
export const DOCUMENT_NAMES = [
  'manifest.json',
  'model.sig',
  'release.dsse',
  'release.tlog-proof',
  'model-sig.tlog-proof',
  'entry',
  'decisions.json',
  'verdict.dsse',
  'intent.dsse',
  'tensors.json',
] as const;

/**
 * Bytes of any of them. One limit for whoever makes them and whoever reads them, so that
 * nothing is sealed that no client accepts; an envelope over a manifest's worth of digests
 * fits, and an inventory of some 750,000 tensors.
 */
export const MAX_DOCUMENT_BYTES = 128 * 2 ** 20;

export type DocumentName = (typeof DOCUMENT_NAMES)[number];
