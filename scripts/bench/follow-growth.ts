/**
 * The growth of a whole log, audited as `weighhouse audit` does it, in a process of its own:
 * `node follow-growth.ts URL` prints {ok, size, seconds, mebibytes}.
 */
import { enableCompileCache } from 'node:module';
import { Api } from '../../src/client/api.ts';
import { followGrowth } from '../../src/client/audit/growth.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { headOf } from '../../src/client/view.ts';
import { Findings } from '../../src/core/audit/findings.ts';
import { emptyEdge } from '../../src/core/log/tree.ts';
import { AuditThreads } from '../../src/hashing/audit-threads.ts';
import { TileConnections } from '../../src/transfer/audit/tiles.ts';

const begun = performance.now();
// As the command does.
enableCompileCache();
const api = new Api({ url: parseRegistryUrl(process.argv[2]!) });
const hasher = new AuditThreads();
const tiles = new TileConnections(api);
const head = headOf(await api.checkpoint());
const parts = { host: hasher.host, read: tiles.read, hasher, findings: new Findings() };
const ok = await followGrowth(parts, emptyEdge(hasher.host), head);
const seconds = (performance.now() - begun) / 1000;
const mebibytes = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ ok: ok && parts.findings.ok, size: head.size, seconds, mebibytes }));
tiles.close();
await hasher.close();
