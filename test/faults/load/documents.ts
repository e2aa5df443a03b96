/** What a published release shows below `/api/v1/releases/<namespace>/<name>/<version>`. */
export const RELEASE_DOCUMENTS = [
  '',
  '/manifest.json',
  '/model.sig',
  '/release.dsse',
  '/release.tlog-proof',
  '/model-sig.tlog-proof',
  '/entry',
  '/decisions.json',
  '/chunks/README.md',
  '/files/README.md',
] as const;
