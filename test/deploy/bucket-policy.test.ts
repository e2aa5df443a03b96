/** What the servers may do with the bucket is what the store does, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { KINDS } from '../../src/scrub/kinds.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const policy = JSON.parse(read('deploy/bucket-policy.json'));

/** Which action each call of the SDK takes (AWS, "Actions, resources, and condition keys for Amazon S3"). */
const ACTION_OF: Readonly<Record<string, string>> = {
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  CompleteMultipartUpload: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  DeleteObject: 's3:DeleteObject',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListObjectsV2: 's3:ListBucket',
  ListParts: 's3:ListMultipartUploadParts',
  PutObject: 's3:PutObject',
  UploadPart: 's3:PutObject',
};

/** The calls that the sources of the S3 store name. */
function callsOfStore(): Set<string> {
  const files = [
    'src/store/s3.ts',
    ...readdirSync(new URL('src/store/s3', ROOT)).map((name) => `src/store/s3/${name}`),
  ];
  const text = files.map(read).join('\n');
  const commands = [...text.matchAll(/\bnew ([A-Z][A-Za-z0-9]*)Command\b/g)].map(
    ([, name]) => name!,
  );
  const pages = [...text.matchAll(/\bpaginate([A-Z][A-Za-z0-9]*)\b/g)].map(([, name]) => name!);
  return new Set([...commands, ...pages]);
}

function granted(): Set<string> {
  const allowed = policy.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
  return new Set(allowed.flatMap(({ Action }: { Action: string | string[] }) => Action));
}

test('the policy grants the actions of the calls that the store makes, and no others', () => {
  const actions = [...callsOfStore()].map(
    (call) => ACTION_OF[call] ?? `no action known for ${call}`,
  );
  expect([...granted()].sort()).toEqual([...new Set(actions)].sort());
});

test('docs/operations.md lists each of those calls', () => {
  const page = read('docs/operations.md');
  for (const call of callsOfStore())
    expect(page).toMatch(new RegExp(`^\\|.*\\b${call}\\b.*\\|`, 'm'));
});

test('the policy is for one identity, and lets nothing public be deleted', () => {
  for (const { Principal } of policy.Statement) {
    expect(Principal).toEqual({ AWS: 'arn:aws:iam::000000000000:user/weighhouse' });
  }
  const deleting = policy.Statement.find(
    ({ Action }: { Action: unknown }) => Action === 's3:DeleteObject',
  );
  expect(deleting.Resource.map((arn: string) => arn.split('/')[2])).toEqual(['private', 'blobs']);
});

test('everything public that is written once can be replaced by nobody', () => {
  // What the newest entry of the log changes, and blobs, which are written in parts.
  const changing = ['checkpoint', 'roots', 'namespace', 'heads', 'blob'];
  const folders = Object.entries(KINDS)
    .filter(([kind]) => !changing.includes(kind))
    .map(([, { at }]) => /^\^([a-z-]+)/.exec(at.source)![1])
    .filter((folder) => folder !== 'private');
  const denied = policy.Statement.find(({ Effect }: { Effect: string }) => Effect === 'Deny');
  const kept = denied.Resource.map((arn: string) => arn.split('/')[2]);
  expect(kept.sort()).toEqual([...new Set(folders)].sort());
});

test('unfinished uploads outlive a session, which is good for 7 days', () => {
  const { Rules } = JSON.parse(read('deploy/bucket-lifecycle.json'));
  expect(Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation).toBeGreaterThan(7);
});
