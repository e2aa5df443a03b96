/**
 * A home with a registry that is served, and one gated namespace, acme: ada owns, reviews,
 * evaluates and manages, bob publishes and reviews, and one approval is asked for. The key is
 * ada's, the token bob's.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import type { PolicyKey } from '../../src/core/release/policy-key.ts';
import { type Home, makeHome, makeWorld, run } from './command-line.ts';

export const ORIGIN = 'models.example';

export interface GatedHome extends Home {
  /** Of ada and bob. */
  readonly keys: ReadonlyMap<string, PolicyKey>;
  /** Pushes a draft of its own: its name, what is sealed, and where it lies. */
  push(): Promise<Record<'reference' | 'digest' | 'folder', string>>;
  /** Serves another store with the same keys, and answers where: a copy is another future. */
  serve(store: string): Promise<string>;
}

/** `owners` own it, and all of them sign a change. */
export async function makeGatedHome(owners: readonly string[] = ['ada']): Promise<GatedHome> {
  const home = await makeHome();
  const where = ['--store', home.path('store'), '--keys', home.path('keys')];
  const made = await home.json('init', ...where, '--origin', ORIGIN, '--no-passphrase');
  const servers: (() => Promise<unknown>)[] = [];
  const serve = async (store: string): Promise<string> => {
    const server = makeWorld({ ...home.env });
    const own = ['--store', home.path(store), '--keys', home.path('keys')];
    const listen = ['--listen', '127.0.0.1:0', '--index', home.path(`${store}-index`)];
    const serving = run(['serve', ...own, ...listen], server);
    servers.push(async () => {
      server.stop();
      await serving;
    });
    await Promise.race([server.hears('listening on '), serving]);
    return server.said().stdout.trim().replace('listening on ', '');
  };
  home.env.WEIGHHOUSE_URL = await serve('store');
  await home.json('trust', 'add', home.env.WEIGHHOUSE_URL, '--fingerprint', `${made.fingerprint}`);

  const keys = new Map<string, PolicyKey>();
  for (const id of ['ada', 'bob']) {
    const file = home.path(`${id}.key`);
    await home.json('key', 'new', file, '--no-passphrase');
    const enroll = ['--origin', ORIGIN, '--namespace', 'acme', '--person', id];
    keys.set(id, (await home.json('key', 'enroll', file, ...enroll)) as unknown as PolicyKey);
  }
  const people = [...keys].map(([id, key]) => ({ id, name: id, keys: [key] }));
  const roles = { owner: owners, evaluator: ['ada'], reviewer: ['ada', 'bob'] };
  const policy = {
    ...{ v: 1, origin: ORIGIN, namespace: 'acme', version: 1, delay: 0, people },
    owners: owners.length,
    roles: { ...roles, publisher: ['bob'], 'release-manager': ['ada'] },
    gate: { approvals: [{ role: 'reviewer', count: 1 }] },
    formats: { allow: [] },
  };
  await writeFile(home.path('acme.json'), JSON.stringify(policy));
  home.env.WEIGHHOUSE_KEY = home.path('ada.key');
  const grant = async (subject: string, ...more: string[]) =>
    (await home.json('token', 'create', ...where, '--subject', subject, ...more)).token as string;
  const operator = await grant('op', '--role', 'operator');
  const create = ['namespace', 'create', 'acme', '--policy', home.path('acme.json')];
  const others = owners.filter((id) => id !== 'ada');
  for (const id of others) {
    const only = ['--sign-only', home.path(`${id}.first`), '--key', home.path(`${id}.key`)];
    await home.json(...create, ...only);
  }
  const signed = others.flatMap((id) => ['--signed', home.path(`${id}.first`)]);
  await home.json(...create, ...signed, '--token', operator);
  const all = ['--role', 'publisher', 'reviewer', 'evaluator', 'release-manager'];
  home.env.WEIGHHOUSE_TOKEN = await grant('bob', ...all, '--namespace', 'acme');

  let drafts = 0;
  return {
    ...home,
    keys,
    async push() {
      drafts += 1;
      const reference = `acme/tiny@${drafts}`;
      const folder = home.path(`model-${drafts}`);
      await mkdir(folder);
      await writeFile(`${folder}/config.json`, `{"draft":${drafts}}`);
      const { digest } = await home.json('push', folder, reference);
      return { reference, digest: String(digest), folder };
    },
    serve,
    async remove() {
      await Promise.all(servers.map((stop) => stop()));
      await home.remove();
    },
  };
}
