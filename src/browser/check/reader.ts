import type { PublicApi } from '../../client/public-api.ts';
import type { Reader } from '../../client/release.ts';

/** Whoever reads a registry and writes nothing. */
export type PublicReader = Reader<PublicApi>;
