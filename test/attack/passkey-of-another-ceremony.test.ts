/** What an authenticator signs when it makes a key is taken for what it signs when somebody decides. */
import { test } from '@jest/globals';
import { expectLieRefused, usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();

test.each(['webauthn.create', 'payment.get', 'webauthn.Get', '', null])(
  'a ceremony of the type %p is no approval',
  async (type) => {
    await expectLieRefused(
      room(),
      { client: { type } },
      'the signature of the passkey of models.example.org was made for something else than to sign',
    );
  },
);
