/**
 * The device authorization grant (RFC 8628), by which `weighhouse login` gets a token:
 *
 *     POST /device         client_id=weighhouse-cli&machine=laptop     two codes, and where to type one
 *     POST /device/token   grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=…
 *
 * `scope` may name the roles that are asked for, in place of all that the person has. `device-logins.ts`
 * tells what happens between the two.
 */
import type { Request } from 'express';
import * as v from 'valibot';
import { count, prose } from '../../core/shape.ts';
import { TOKEN_ROLES, type TokenRole } from '../../keyring/token.ts';
import { FORM } from '../body.ts';
import { DEVICE_SECONDS, type DeviceLogins, MAX_MACHINE } from '../device-logins.ts';
import { DEVICE_PAGE, devicePage } from '../pages/addresses.ts';
import { notesOf } from '../request-log.ts';
import type { Sessions } from '../sessions.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { oauthError, oauthRefusal } from './oauth.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';
/** Bytes of a request: a signed code is the longest that is in one. */
const MAX_REQUEST = 8_192;
/** What a machine is called that does not say. */
const NAMELESS = 'a machine that does not say its name';

/** RFC 6749, section 3.2: parameters that nobody knows are let by. */
const asks = v.object({
  client_id: v.pipe(v.string(), v.maxLength(64), v.description('Which program asks')),
  scope: v.exactOptional(v.pipe(v.string(), v.description('Roles, with spaces between them'))),
  machine: v.exactOptional(v.pipe(prose(MAX_MACHINE), v.description('What the machine is called'))),
});

const codes = v.strictObject({
  device_code: v.string(),
  user_code: v.string(),
  verification_uri: v.string(),
  verification_uri_complete: v.string(),
  expires_in: count,
  interval: count,
});

const polls = v.object({
  grant_type: v.pipe(v.string(), v.description(GRANT_TYPE)),
  device_code: v.string(),
  client_id: v.exactOptional(v.string()),
});

const token = v.strictObject({
  access_token: v.string(),
  token_type: v.literal('Bearer'),
  expires_in: count,
  scope: v.string(),
});

interface Parts {
  readonly devices: DeviceLogins;
  readonly sessions: Sessions;
  readonly config: { readonly url: string };
  readonly clock: () => number;
}

export function deviceEndpoints({ devices, sessions, config, clock }: Parts): Endpoint[] {
  const { url } = config;
  return [
    endpoint({
      method: 'post',
      path: '/device',
      id: 'beginDeviceLogin',
      load: 'exchange',
      rate: 'device',
      summary: 'Two codes, of which a person types one into a page to let a machine in (RFC 8628)',
      token: 'none',
      consumes: FORM,
      body: asks,
      maxBodyBytes: MAX_REQUEST,
      answer: codes,
      refusal: oauthRefusal(['invalid_request', 'invalid_scope']),
      async run({ body, request }) {
        sessions.requirePrivate();
        const { machine = NAMELESS, scope } = body;
        const address = seenAddress(request);
        const roles = rolesIn(scope);
        const { code, deviceCode } = await devices.begin({ machine, address, ...roles });
        return {
          device_code: deviceCode,
          user_code: code,
          verification_uri: url + DEVICE_PAGE,
          verification_uri_complete: url + devicePage(code),
          expires_in: DEVICE_SECONDS,
          interval: devices.pollSeconds,
        };
      },
    }),
    endpoint({
      method: 'post',
      path: '/device/token',
      id: 'takeDeviceToken',
      load: 'exchange',
      rate: 'exchange',
      summary: 'The token of a machine that a person has let in, once (RFC 8628)',
      token: 'none',
      consumes: FORM,
      body: polls,
      maxBodyBytes: MAX_REQUEST,
      answer: token,
      refusal: oauthRefusal([
        ...(['invalid_request', 'invalid_grant', 'unsupported_grant_type'] as const),
        ...(['authorization_pending', 'slow_down', 'access_denied', 'expired_token'] as const),
      ]),
      async run({ body, response }) {
        if (body.grant_type !== GRANT_TYPE) {
          throw oauthError('unsupported_grant_type', `the only grant_type here is ${GRANT_TYPE}`);
        }
        const { token: text, subject, roles, expires } = await devices.take(body.device_code);
        notesOf(response).subject = subject;
        return {
          access_token: text,
          token_type: 'Bearer' as const,
          expires_in: expires - Math.floor(clock() / 1000),
          scope: roles.join(' '),
        };
      },
    }),
  ];
}

/** Where the machine is, as far as the server sees it. */
function seenAddress({ ip }: Request): string {
  return ip ?? 'an unknown address';
}

function rolesIn(scope: string | undefined): { readonly roles?: readonly TokenRole[] } {
  if (scope === undefined) return {};
  const named = scope.split(' ').filter((each) => each !== '');
  const stranger = named.find((each) => !(TOKEN_ROLES as readonly string[]).includes(each));
  if (stranger === undefined && named.length > 0) return { roles: named as TokenRole[] };
  throw oauthError('invalid_scope', `scope is one or more of ${TOKEN_ROLES.join(', ')}`);
}
