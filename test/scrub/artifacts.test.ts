/** The scrub knows every object that was made for clients of OCI, those for Ollama too. */
import { expect, test } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { artifactsForm } from '../../src/registry/documents/artifact.ts';
import { checkArtifacts } from '../../src/scrub/check/oci.ts';
import { Pace } from '../../src/scrub/pace.ts';
import { walkArtifacts } from '../../src/scrub/walk/artifacts.ts';
import { isMark, type WalkParts } from '../../src/scrub/walk/step.ts';
import { keys } from '../../src/store/keys.ts';
import { GGUF, ggufKey, ggufString, makeGguf } from '../made/gguf.ts';
import { PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

async function withArtifacts() {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  const key = ggufKey('general.architecture', GGUF.string, ggufString('llama'));
  await live.release(PUBLISHER, RELEASE, { 'tiny.gguf': makeGguf({ keys: [key] }) });
  await live.registry.artifacts(RELEASE);
  const pace = new Pace({ signal: new AbortController().signal });
  const parts = { store: world.disk.open(), host: nodeHost, pace } as unknown as WalkParts;
  return { disk: world.disk, parts };
}

test('all of them are walked over', async () => {
  const { disk, parts } = await withArtifacts();
  const walked = new Set<string>();
  for await (const step of walkArtifacts(parts, RELEASE)) {
    if (!isMark(step)) walked.add(step.key);
  }
  const made = [...disk.objects.keys()].filter((key) => key.startsWith('artifacts-by-digest/'));
  expect(made).not.toHaveLength(0);
  for (const key of made) {
    expect(walked).toContain(key);
    expect(walked).toContain(`statements/sha256/${key.split('/').at(-1)}`);
  }
});

test('what is said of Ollama’s is held against its manifest', async () => {
  const { disk, parts } = await withArtifacts();
  const bytes = disk.bytes(keys.artifacts(RELEASE));
  expect(await checkArtifacts(parts, bytes)).toBeUndefined();
  const record = artifactsForm.parse(bytes);
  const ollama = record.ollama!;
  const wrong = { ...ollama, size: ollama.size + 1 };
  const rotten = artifactsForm.format({ ...record, ollama: wrong });
  expect(await checkArtifacts(parts, rotten)).toMatchObject({ problem: 'damaged' });
  const nowhere = `sha256:${'0'.repeat(64)}` as Digest;
  const lost = artifactsForm.format({ ...record, ollama: { ...ollama, digest: nowhere } });
  expect(await checkArtifacts(parts, lost)).toMatchObject({ problem: 'damaged' });
});
