import { describe, expect, test } from '@jest/globals';
import { MAX_SENDINGS } from '../../src/server/content.ts';
import {
  BLOCK_BYTES,
  BLOCKS,
  MIN_BLOCK_BYTES,
  SENDING_BYTES,
  SendingMemory,
} from '../../src/server/sending-memory.ts';

describe('the memory for sending', () => {
  test('gives a hundred readers the blocks with which sending is fastest', () => {
    const memory = new SendingMemory();
    const blocks = Array.from({ length: 100 }, () => memory.take());
    expect(new Set(blocks)).toEqual(new Set([BLOCK_BYTES]));
  });

  test('is bounded, however many readers take nothing', () => {
    const memory = new SendingMemory();
    let held = 0;
    for (let n = 0; n < MAX_SENDINGS; n++) held += memory.take() * BLOCKS;
    expect(held).toBeLessThanOrEqual(SENDING_BYTES + MAX_SENDINGS * MIN_BLOCK_BYTES * BLOCKS);
    expect(memory.take()).toBe(MIN_BLOCK_BYTES);
  });

  test('is whole again once all have given back what they had', () => {
    const memory = new SendingMemory();
    const blocks = Array.from({ length: MAX_SENDINGS }, () => memory.take());
    for (const block of blocks) memory.giveBack(block);
    expect(memory.take()).toBe(BLOCK_BYTES);
  });
});
