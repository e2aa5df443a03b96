/** How a machine polls while it waits to be let in. */
import { expect, test } from '@jest/globals';
import type { Api } from '../../src/client/api.ts';
import { awaitLogin } from '../../src/client/device-login.ts';
import { CodedError } from '../../src/core/error.ts';

const CODES = { device_code: 'secret', interval: 5, expires_in: 600 };
const told = (error: string) => new CodedError('usage', 'not yet', { error });
const gone = (transient: boolean) => new CodedError('network', 'no way there', { transient });
const TOKEN = { access_token: 'token', token_type: 'Bearer', expires_in: 60 };

/** Polls a registry that answers so, one after the other; gives the seconds between. */
async function poll(...answers: readonly (CodedError | typeof TOKEN)[]) {
  const pauses: number[] = [];
  let now = 0;
  const left = [...answers];
  const api = {
    http: {
      pauses: {
        sleep: async (ms: number) => {
          pauses.push(ms / 1000);
          now += ms;
        },
      },
    },
    takeDeviceToken: async () => {
      const answer = left.shift() ?? told('authorization_pending');
      if (answer instanceof CodedError) throw answer;
      return answer;
    },
  } as unknown as Api;
  const result = awaitLogin(api, CODES, () => now, new AbortController().signal);
  return { pauses, result: await result.catch((error: unknown) => error) };
}

test('asks as slowly as it is told, and slower when that was too fast', async () => {
  const { pauses, result } = await poll(
    told('authorization_pending'),
    told('slow_down'),
    told('authorization_pending'),
    TOKEN,
  );
  expect(pauses).toEqual([5, 5, 10, 10]);
  expect(result).toEqual({ token: 'token', seconds: 60 });
});

test('goes on, slower, where the network fails for a while', async () => {
  const { pauses, result } = await poll(gone(true), TOKEN);
  expect(pauses).toEqual([5, 10]);
  expect(result).toMatchObject({ token: 'token' });
});

test.each([
  [told('access_denied'), 'said no'],
  [told('expired_token'), 'in time'],
  [told('invalid_grant'), 'not yet'],
  [gone(false), 'no way there'],
])('ends with what is the end of it: %s', async (error, message) => {
  const { pauses, result } = await poll(error);
  expect(pauses).toEqual([5]);
  expect(String(result)).toContain(message);
});

test('ends when the codes have, whatever the registry goes on to say', async () => {
  const { pauses, result } = await poll();
  expect(pauses).toHaveLength(120);
  expect(String(result)).toContain('in time');
});
