/**
 * The growth of a whole log, audited as `weighhouse audit` does it, in a process of its own:
 * `node follow-growth.mjs DIST URL` prints {ok, size, seconds, mebibytes}. Plain JavaScript over
 * the compiled program: reading TypeScript takes Node 17 MiB that no user's audit needs.
 */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const begun = performance.now();
const [dist, url] = process.argv.slice(2);
// As the command does.
enableCompileCache();
const load = (path) => import(join(dist, path));
const { Api } = await load('client/api.js');
const { followGrowth } = await load('client/audit/growth.js');
const { parseRegistryUrl } = await load('client/http.js');
const { headOf } = await load('client/view.js');
const { Findings } = await load('core/audit/findings.js');
const { emptyEdge } = await load('core/log/tree.js');
const { AuditThreads } = await load('hashing/audit-threads.js');
const { TileConnections } = await load('transfer/audit/tiles.js');

const api = new Api({ url: parseRegistryUrl(url) });
const hasher = new AuditThreads();
const tiles = new TileConnections(api);
const head = headOf(await api.checkpoint());
const parts = { host: hasher.host, read: tiles.read, hasher, findings: new Findings() };
const ok = await followGrowth(parts, emptyEdge(hasher.host), head);
const seconds = (performance.now() - begun) / 1000;
const mebibytes = mostMemory() / 1024;
console.log(JSON.stringify({ ok: ok && parts.findings.ok, size: head.size, seconds, mebibytes }));
tiles.close();
await hasher.close();

/**
 * KiB of memory that this program held at the most. Not `maxRSS`, which Linux carries over from
 * the program that started this one.
 */
function mostMemory() {
  return Number(/^VmHWM:\s*([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}
