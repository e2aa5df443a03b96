/**
 * The distribution specification's own conformance tests, for a registry that is only read: what
 * they find of tags, manifests, blobs and referrers. Test by test with their names: oci.test.ts in
 * test/server has one of ours for each MUST and SHOULD.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { installConformance } from '../../scripts/peers/oci.ts';
import { Sandbox } from '../e2e/sandbox.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const INSTALLING_MS = 600_000;
const RUNNING_MS = 60_000;
const REPOSITORY = 'acme/tiny';
/** What it tests of a registry that it may not push to. */
const PASSED = [
  ...['ping', 'empty/tag list', 'empty/referrers', 'read-only/tag-list', 'read-only/referrers'],
  'read-only/head/manifest-head-by-tag',
  'read-only/head/manifest-head-by-digest',
  'read-only/head/blob-head',
  'read-only/pull/manifest-by-tag',
  'read-only/pull/manifest-by-digest',
  'read-only/pull/blob-get',
  ...[
    'missing-manifest/by-tag',
    'missing-manifest/by-digest',
    'invalid-digest-format/manifest-get',
  ],
];
const TAGS = ['1', '2', '10', 'latest'];

let sandbox: Sandbox;
let conformance: string;
let url: string;
let stop: () => Promise<unknown>;

beforeAll(async () => {
  conformance = await installConformance();
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  const server = await sandbox.serve();
  stop = () => server.stop();
  url = server.url;
  await sandbox.trust(made);
  const weights = makeSafetensors({ w: { dtype: 'F32', shape: [4, 2] } });
  for (const version of ['1', '2', '10']) {
    await sandbox.publish(`${REPOSITORY}@${version}`, {
      'README.md': `# Version ${version}\n`,
      'model.safetensors': weights,
    });
  }
}, INSTALLING_MS);

afterAll(async () => {
  await stop?.();
  await sandbox?.remove();
});

/** What the registry has that the tests shall ask for: names, digests. */
async function released() {
  const blobs = new Set<string>();
  const manifests: string[] = [];
  for (const tag of TAGS) {
    const response = await fetch(`${url}/v2/${REPOSITORY}/manifests/${tag}`);
    manifests.push(response.headers.get('docker-content-digest')!);
    const { config, layers } = (await response.json()) as Manifest;
    for (const { digest } of [config, ...layers]) blobs.add(digest);
  }
  return { manifests: [...new Set(manifests)], blobs: [...blobs] };
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** The tests of the report, a line each, by how they ended: without the names of those that hold others. */
function endings(report: string): Map<string, Set<string>> {
  const lines = [...report.matchAll(/^ *OCI Conformance Test\/(.+): (\w+)$/gm)];
  const names = lines.map(([, name]) => name!);
  const ended = new Map<string, Set<string>>();
  for (const [, name, ending] of lines) {
    if (names.some((other) => other.startsWith(`${name}/`))) continue;
    ended.set(ending!, (ended.get(ending!) ?? new Set()).add(name!));
  }
  return ended;
}

test(
  'the official suite finds nothing wrong',
  async () => {
    const { manifests, blobs } = await released();
    // It ends in a panic, after its report, when it may not push: it then writes down how data fared
    // that it has not made. And it can ask for the header of digests only at blobs, or at what it pushed.
    const { stdout } = await sandbox.spawn(conformance, [], {
      OCI_RESULTS_DIR: sandbox.path('results'),
      OCI_REGISTRY: new URL(url).host,
      OCI_TLS: 'disabled',
      OCI_REPO1: REPOSITORY,
      OCI_API_PUSH: 'false',
      OCI_API_BLOBS_DELETE: 'false',
      OCI_API_MANIFESTS_DELETE: 'false',
      OCI_API_TAGS_DELETE: 'false',
      OCI_API_BLOBS_DIGEST_HEADER: 'true',
      OCI_RO_DATA_TAGS: TAGS.join(' '),
      OCI_RO_DATA_MANIFESTS: manifests.join(' '),
      OCI_RO_DATA_BLOBS: blobs.join(' '),
      OCI_RO_DATA_REFERRERS: manifests.join(' '),
    }).ended;
    const ended = endings(stdout);
    expect([ended.get('FAIL'), ended.get('Error'), stdout]).toEqual([undefined, undefined, stdout]);
    expect([...ended.get('Pass')!].sort()).toEqual(PASSED.toSorted());
  },
  RUNNING_MS,
);
