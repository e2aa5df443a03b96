/** An identity that was made for somebody else is not for us: whoever got it could pass it on. */
import { test } from '@jest/globals';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

test.each(['elsewhere.test', 'served.test/', 'SERVED.TEST', 'served.test.evil', '', undefined, 7])(
  'the audience %j is refused',
  async (aud) => {
    await publishing().refuses(await publishing().token({ aud }));
  },
);

test('a list of audiences is refused, ours among them or alone', async () => {
  const ours = publishing().served.origin;
  for (const aud of [[ours], [ours, 'elsewhere.test'], ['elsewhere.test', ours], []]) {
    await publishing().refuses(await publishing().token({ aud }));
  }
});
