import { browserHost } from './check/host.ts';
import { checkRelease } from './check/release.ts';
import { Api } from '../client/api.ts';
import { MemoryPins } from '../client/pins.ts';
import { parseRegistryUrl } from '../client/http.ts';
import { parseReleaseName } from '../core/release/name.ts';
const api = new Api({ url: parseRegistryUrl(location.origin) });
void checkRelease({ host: browserHost(crypto.subtle), api, pins: new MemoryPins(), clock: Date.now }, { release: parseReleaseName('a/b@1') }, { report: console.log });
