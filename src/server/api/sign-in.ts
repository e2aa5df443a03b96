/** `POST /sign-in-links`: a link that signs the holder of a token in to the pages, once. */
import { SIGN_IN_SECONDS } from '../../keyring/session.ts';
import { signInPage } from '../pages/addresses.ts';
import type { Sessions } from '../sessions.ts';
import { callerOf, type Endpoint, endpoint } from './endpoint.ts';
import * as shapes from './shapes.ts';

export function signInEndpoint(sessions: Sessions, url: string, clock: () => number): Endpoint {
  return endpoint({
    method: 'post',
    path: '/sign-in-links',
    id: 'makeSignInLink',
    rate: 'exchange',
    summary: 'A link that signs the holder of the token in to the pages, once, within a minute',
    token: 'required',
    answer: shapes.signInLink,
    status: 201,
    async run(call) {
      const code = await sessions.code(callerOf(call));
      const expires = new Date(clock() + SIGN_IN_SECONDS * 1000).toISOString();
      return { url: url + signInPage(code), expires };
    },
  });
}
