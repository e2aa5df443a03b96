/** The main job: published, pulled, verified, audited; and three changed bytes, three refusals. */
import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseReleaseName, type ReleaseName } from '../../../src/core/release/name.ts';
import type { Play } from '../play.ts';

const ORIGIN = 'weights.example';

export async function releaseStory({ stage, home, model, isOwnModel }: Play): Promise<ReleaseName> {
  const release = isOwnModel ? 'demo/model@1.0' : 'demo/basic-pitch@1.0.1';
  stage.title('A registry: its keys, its trust root, its empty log, and a namespace');
  const { stdout } = stage.run([
    'init',
    ...['--store', './store', '--keys', './keys', '--origin', ORIGIN, '--namespace', 'demo'],
    ...['--root-key', './offline/root.key', '--owner-key', './offline/owner.key'],
    ...['--no-passphrase', '--json'],
  ]);
  const made = JSON.parse(stdout) as { token: string; fingerprint: string };
  const url = await stage.serve(['--store', './store', '--keys', './keys']);
  stage.set('WEIGHHOUSE_TOKEN', made.token);

  stage.title('Publish a signed release');
  stage.run(['push', model, release]);
  const { digest } = stage.ask(['status', release]);
  stage.run(['status', release]);
  stage.run(['publish', release, '--digest', String(digest)]);

  stage.title('Download verified weights');
  stage.run(['trust', 'add', url, '--fingerprint', made.fingerprint]);
  stage.run(['pull', release, './pulled']);
  stage.run(['verify', './pulled']);

  stage.title('A byte is flipped in a pulled file');
  const file = largestFile(join(home, 'pulled'));
  flip(file);
  stage.run(['verify', './pulled'], { expected: 10 });
  flip(file);
  stage.run(['verify', './pulled']);

  stage.title('A byte is flipped in the store');
  const blob = largestFile(join(home, 'store/objects/blobs'));
  flip(blob);
  stage.run(['pull', release, './pulled-damaged'], { expected: 10 });
  flip(blob);

  stage.title('The log is rewritten');
  const bundle = largestFile(join(home, 'store/objects/log/tile/entries'));
  flip(bundle);
  stage.run(['audit', url], { expected: 12 });
  flip(bundle);

  stage.title('Audit the release history, without trusting the registry');
  stage.run(['history', release.split('@')[0]!]);
  stage.run(['audit', url]);
  stage.say('\nPublished, logged, pulled, verified, audited; three changed bytes, three refusals.');
  return parseReleaseName(release);
}

/** The largest file below `directory`, as the one whose bytes matter most. */
function largestFile(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('.weighhouse'));
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
}

/** Flips one bit in the middle of a file, in place. */
function flip(path: string): void {
  const at = Math.floor(statSync(path).size / 2);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}
