/** A server whose disk is full: it says so, shows what it has, and recovers when there is room. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeIf } from '../faults/needs.ts';
import { Sandbox, type ServerProcess } from './sandbox.ts';

const mounting = ['unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'] as const;
const SIZE_MIB = 16;
const MIB = 2 ** 20;

describeIf('leave to mount a file system (run as root)', mounting)('a full disk', () => {
  let sandbox: Sandbox;
  let server: ServerProcess;
  let digest: string;
  const filler = () => sandbox.path('store/filler');
  /** Room that is given back afterwards: what was uploaded of the large file is kept for its resumption. */
  const reserve = () => sandbox.path('store/reserve');

  beforeAll(async () => {
    sandbox = await Sandbox.make();
    await mkdir(sandbox.path('store'));
    const size = `size=${SIZE_MIB}m`;
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'none', sandbox.path('store')]);
    expect(mount.status).toBe(0);
    const made = await sandbox.init('acme');
    server = await sandbox.serve();
    await sandbox.trust(made);
    await sandbox.publish('acme/tiny@1', { 'README.md': 'Before.\n' });
    await sandbox.write('next', { 'README.md': 'After.\n' });
    digest = (await sandbox.json('push', 'next', 'acme/tiny@2')).digest;
    await sandbox.write('large', { 'large.bin': new Uint8Array((SIZE_MIB + 4) * MIB) });
  }, 30_000);

  afterAll(async () => {
    await server?.stop();
    spawnSync('umount', [sandbox.path('store')]);
    await sandbox?.remove();
  });

  async function readiness(): Promise<number> {
    return (await fetch(`${server.url}/readyz`)).status;
  }

  /** The server looks again by itself; nobody restarts it. */
  async function untilReadinessIs(status: number): Promise<void> {
    for (let tries = 0; (await readiness()) !== status; tries++) {
      if (tries === 100) throw new Error(`/readyz never answered ${status}`);
      await pause(100);
    }
  }

  test('a push that does not fit is refused with disk-full', async () => {
    await writeFile(reserve(), new Uint8Array(MIB / 4));
    const { code } = await sandbox.failure(1, 'push', 'large', 'acme/large@1');
    expect(code).toBe('disk-full');
    await rm(reserve());
  }, 60_000);

  test('a publish that cannot be logged is refused, readiness is red, and reading goes on', async () => {
    // Whatever room there is: the disk says when there is none.
    spawnSync('dd', ['if=/dev/zero', `of=${filler()}`, 'bs=4k']);
    const { code } = await sandbox.failure(1, 'publish', 'acme/tiny@2', '--digest', digest);
    expect(code).toBe('disk-full');
    await untilReadinessIs(503);
    expect(await sandbox.json('pull', 'acme/tiny@1', 'pulled')).toMatchObject({ files: 1 });
  }, 60_000);

  test('when there is room again it recovers by itself, and the publish is done', async () => {
    await rm(filler(), { force: true });
    await untilReadinessIs(200);
    const published = await sandbox.json('publish', 'acme/tiny@2', '--digest', digest);
    expect(published).toMatchObject({ reference: 'acme/tiny@2', digest });
    expect(await sandbox.json('audit', '--content')).toMatchObject({ ok: true, releases: 2 });
  }, 60_000);
});
