import { describe, expect, test } from '@jest/globals';
import { MAX_ADDRESS, parseAddress } from '../../../src/transfer/import/address.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('the source of an import', () => {
  test.each([
    ['hf://Openai/whisper-tiny.v2', 'Openai/whisper-tiny.v2', 'main'],
    ['hf://acme/tiny@v1.0', 'acme/tiny', 'v1.0'],
    ['hf://acme/tiny@refs/pr/1', 'acme/tiny', 'refs/pr/1'],
  ])('%s is at a hub', (text, id, revision) => {
    expect(parseAddress(text)).toEqual({ kind: 'hub', id, revision });
  });

  test.each([
    ['oci://ghcr.io/acme/tiny', 'ghcr.io', 'acme/tiny', 'latest'],
    ['oci://GHCR.io:443/a/b/c__d:V1.0', 'ghcr.io:443', 'a/b/c__d', 'V1.0'],
    [`oci://[::1]:5000/tiny@${DIGEST}`, '[::1]:5000', 'tiny', DIGEST],
  ])('%s is at an OCI registry', (text, host, repository, reference) => {
    expect(parseAddress(text)).toEqual({ kind: 'oci', host, repository, reference });
  });

  test.each(['./tiny', '/models/tiny', 'tiny', 'C:\\tiny', 'hf:tiny'])(
    '%s is a folder',
    (folder) => {
      expect(parseAddress(folder)).toEqual({ kind: 'folder', folder });
    },
  );

  test.each([
    'https://huggingface.co/acme/tiny',
    'file:///etc',
    'HF://acme/tiny',
    'hf://tiny',
    'hf://datasets/acme/tiny',
    'hf://acme/..',
    'hf://../tiny',
    'hf://acme/tiny@',
    'hf://acme/tiny@a?b',
    'hf://acme/tiny@a%2f',
    'hf://me:secret@huggingface.co/acme/tiny',
    'oci://ghcr.io',
    'oci://ghcr.io/Acme/tiny',
    'oci://ghcr.io/acme/../tiny',
    'oci://ghcr.io/acme/tiny:',
    'oci://ghcr.io/acme/tiny@sha256:ab',
    `oci://ghcr.io/acme/tiny:1@${DIGEST}`,
    'oci://me:secret@ghcr.io/acme/tiny',
    'oci://ghcr.io:99999/acme/tiny',
    'oci:///acme/tiny',
  ])('%s is none', (text) => {
    expect(() => parseAddress(text)).toThrowWithCode('usage');
  });

  test(`has ${MAX_ADDRESS} characters at most`, () => {
    const longest = 'hf://acme/'.padEnd(MAX_ADDRESS, 'a');
    expect(parseAddress(longest)).toMatchObject({ kind: 'hub' });
    expect(() => parseAddress(`${longest}a`)).toThrowWithCode('usage');
  });
});
