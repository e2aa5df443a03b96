/** A page of a stranger shows ours in a frame, and has the person touch what they cannot see. */
import { test } from '@jest/globals';
import { expectLieRefused, usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();

test.each([
  ['says so', { crossOrigin: true }],
  ['names the page around it', { crossOrigin: true, topOrigin: 'https://evil.example' }],
  ['names the page around it alone', { topOrigin: 'https://evil.example' }],
  ['names ours around it', { topOrigin: 'https://models.example.org' }],
  ['says so in another type', { crossOrigin: 'true' }],
  ['says nothing clear', { crossOrigin: null }],
  ['says nothing clear of the page around it', { topOrigin: null }],
])('what was signed in a frame is no approval, where the browser %s', async (_, client) => {
  await expectLieRefused(
    room(),
    { client },
    'the signature of the passkey of models.example.org was made in a frame of another page',
  );
});
