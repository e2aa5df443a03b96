import { describe, expect, test } from '@jest/globals';
import type { UploadId } from '../../../src/store/contract.ts';
import { formatUploadId, parseUploadId } from '../../../src/store/s3/upload-id.ts';
import { MIN_PART_SIZE } from '../../../src/store/upload-shape.ts';

describe('the id of an upload', () => {
  const upload = { shape: { size: 2 ** 40, partSize: 2 ** 27 }, id: 'VXBsb2FkIElE.with_dots~' };

  test('carries its shape over a restart', () => {
    expect(parseUploadId(formatUploadId(upload))).toEqual(upload);
  });

  test.each([
    '',
    'id',
    `1.${MIN_PART_SIZE}.`,
    `01.${MIN_PART_SIZE}.id`,
    `1.${MIN_PART_SIZE - 1}.id`,
    `0.${MIN_PART_SIZE}.id`,
    `-1.${MIN_PART_SIZE}.id`,
    `1.${MIN_PART_SIZE}.i d`,
  ])('%j is none', (text) => {
    expect(() => parseUploadId(text as UploadId)).toThrowWithCode('internal');
  });
});
