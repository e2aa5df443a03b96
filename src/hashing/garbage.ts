/**
 * How V8 collects garbage in programs through which gigabytes stream. Both settings are about
 * memory that is garbage the moment it was used, and about V8 not knowing that.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * For whoever receives or sends large bodies. Every block off the network is a buffer outside
 * of V8's heap, and by default 32 MB of them start a full collection of a heap that has not
 * changed: at a few hundred MB/s that is ten a second, and a quarter of all the work. Counted
 * together with the heap they are collected as seldom as the heap itself needs it.
 */
export function expectLargeBodies(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/**
 * For an audit: all that it makes is garbage soon. Left alone, V8 lets its heap grow with the
 * speed of that stream, to some 50 MB for nothing; told to care for size it takes none of it,
 * and no more time.
 */
export function expectManySmallObjects(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
}
