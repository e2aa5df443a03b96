/** The documents of a release, by the names under which they are served and left beside it. */
export const DOCUMENT_NAMES = [
  'manifest.json',
  'model.sig',
  'release.dsse',
  'release.tlog-proof',
  'model-sig.tlog-proof',
  'entry',
  'decisions.json',
  'tensors.json',
] as const;

export type DocumentName = (typeof DOCUMENT_NAMES)[number];
