/**
 * The bucket of the cluster: SeaweedFS with the shipped `deploy/bucket-policy.json`, so that the
 * servers may do what that grants and nothing else, whatever is tried with the cluster.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { type Seaweedfs, startSeaweedfs } from '../peers/seaweedfs.ts';
import type { Credentials, Secrets } from './secrets.ts';

const POLICY = new URL('../../deploy/bucket-policy.json', import.meta.url);

/** Starts it on `directory`; resolves when its policy holds. */
export async function startBucket(directory: string, secrets: Secrets): Promise<Seaweedfs> {
  mkdirSync(directory, { recursive: true });
  const bucket = await startSeaweedfs(directory, {
    identities: { file: secrets.identities, credentials: secrets.operator },
  });
  try {
    await setPolicy(bucket, secrets.operator);
  } catch (error) {
    await bucket.stop();
    throw error;
  }
  return { ...bucket, credentials: secrets.credentials };
}

/** Sets the bucket's policy, as who may; the shipped one when none is given. */
export async function setPolicy(
  { endpoint, region, bucket }: Seaweedfs,
  credentials: Credentials,
  text = readFileSync(POLICY, 'utf8'),
): Promise<void> {
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: text }));
  } finally {
    client.destroy();
  }
}
