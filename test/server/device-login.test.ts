/** The device authorization grant (RFC 8628), from two codes to a token, over two servers. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  allowInsecureRequests,
  Configuration,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
} from 'openid-client';
import { SESSION_SECONDS } from '../../src/keyring/session.ts';
import { DEVICE_SECONDS } from '../../src/server/device-logins.ts';
import { prefixes } from '../../src/store/keys.ts';
import { Machine } from '../made/device.ts';
import { Served } from '../made/served.ts';
import { SignedIn } from '../made/signed-in.ts';

const PAGE = '/-/device';
const SECOND = 1_000;

let served: Served;
beforeEach(async () => {
  served = await Served.start();
});
afterEach(() => served.stop());

async function signIn(subject = 'dana', seconds = 2 * SESSION_SECONDS): Promise<SignedIn> {
  const { token } = await served.token({ roles: ['reviewer', 'publisher'], subject, seconds });
  return SignedIn.as(served, token);
}

const letIn = (who: SignedIn, code: string) =>
  who.post(PAGE, { code, verdict: 'let-in', same: 'yes' });

describe('a machine that asks to be let in', () => {
  test('is let in by a person who sees who asks, at one server, and takes its token at another', async () => {
    const machine = await Machine.ask(served, { machine: 'lab-7' });
    expect(machine.begun).toMatchObject({
      verification_uri: `${served.url}${PAGE}`,
      verification_uri_complete: `${served.url}${PAGE}?code=${machine.code}`,
      expires_in: DEVICE_SECONDS,
      interval: 5,
    });
    expect(await machine.poll()).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending' },
    });

    const early = await new SignedIn(served).get(`${PAGE}?code=${machine.code}`);
    expect([early.status, early.text]).toEqual([401, expect.stringContaining('Sign in first')]);
    const dana = await signIn();
    expect((await dana.get('/-/drafts')).text).toContain(`href="${PAGE}"`);
    const asked = await dana.get(`${PAGE}?code=${machine.code}`);
    expect(asked.text).toContain(`value="${machine.code}"`);
    expect(asked.text).not.toContain('lab-7');
    const shown = await dana.post(PAGE, { code: machine.code.toLowerCase().replace('-', ' ') });
    for (const text of [
      'lab-7',
      machine.code,
      '127.0.0.1',
      'dana',
      'acme',
      '(publisher)',
      '(reviewer)',
    ]) {
      expect(shown.text).toContain(text);
    }
    expect((await machine.poll(await served.startAnother())).body.error).toBe(
      'authorization_pending',
    );
    expect((await letIn(dana, machine.code)).text).toContain('It is let in');

    const { status, body } = await machine.poll(await served.startAnother());
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'reviewer publisher' });
    expect(body.expires_in).toBeGreaterThan(SESSION_SECONDS - 60);
    const { drafts } = await served.api('/drafts/acme', { token: body.access_token });
    expect(drafts).toEqual([]);
    expect(served.logged.join()).toMatch(
      /"subject":"dana","machine":"lab-7","address":"[^"]+".*a device was let in/,
    );
  });

  test('is told when the person says no', async () => {
    const machine = await Machine.ask(served);
    const dana = await signIn();
    expect((await dana.post(PAGE, { code: machine.code, verdict: 'refuse' })).text).toContain(
      'is not let in',
    );
    expect((await machine.poll()).body.error).toBe('access_denied');
  });

  test('is told to slow down, and when its time is over', async () => {
    const machine = await Machine.ask(served);
    expect((await machine.poll()).body.error).toBe('authorization_pending');
    expect((await machine.poll()).body.error).toBe('slow_down');
    served.pass(6 * SECOND);
    expect((await machine.poll()).body.error).toBe('authorization_pending');
    served.pass(DEVICE_SECONDS * SECOND);
    expect((await machine.poll()).body.error).toBe('expired_token');
    expect((await (await signIn()).post(PAGE, { code: machine.code })).status).toBe(404);
  });

  test('leaves nothing behind once its time is over and another asks', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(), machine.code);
    await machine.poll();
    const left = async () => {
      let count = 0;
      for await (const _ of served.store.list(prefixes.devices())) count++;
      return count;
    };
    expect(await left()).toBe(3);
    served.pass(2 * DEVICE_SECONDS * SECOND);
    await Machine.ask(served);
    expect(await left()).toBe(1);
  });

  test('may be any client that speaks OAuth', async () => {
    const api = `${served.url}/api/v1`;
    const metadata = {
      issuer: served.url,
      device_authorization_endpoint: `${api}/device`,
      token_endpoint: `${api}/device/token`,
    };
    const client = new Configuration(metadata, 'some-program', undefined, None());
    allowInsecureRequests(client);
    const codes = await initiateDeviceAuthorization(client, { scope: 'reviewer' });
    await letIn(await signIn(), codes.user_code);
    // It would wait for as long as it was told before it polls.
    const answer = await pollDeviceAuthorizationGrant(client, { ...codes, interval: 0 });
    expect([answer.token_type, answer.scope]).toEqual(['bearer', 'reviewer']);
  });

  test.each([
    [{ scope: 'emperor' }, 'invalid_scope'],
    [{ machine: '' }, 'invalid_request'],
    [{ machine: 'x'.repeat(65) }, 'invalid_request'],
    [{ client_id: 'x'.repeat(65) }, 'invalid_request'],
  ])('is refused with %j', async (fields, error) => {
    await expect(Machine.ask(served, fields as Record<string, string>)).rejects.toThrow(error);
  });
});

describe('what a machine is given', () => {
  test('is what it asked for, where the person has that', async () => {
    const dana = await signIn();
    const machine = await Machine.ask(served, { scope: 'reviewer owner' });
    expect((await dana.post(PAGE, { code: machine.code })).text).toContain(
      'It asks for owner, too',
    );
    await letIn(dana, machine.code);
    expect((await machine.poll()).body.scope).toBe('reviewer');
  });

  test('lasts no longer than the session, and ends with what that came from', async () => {
    const { token, id } = await served.token({
      roles: ['publisher'],
      subject: 'dana',
      seconds: 1_000,
    });
    const machine = await Machine.ask(served);
    await letIn(await SignedIn.as(served, token), machine.code);
    const { body } = await machine.poll();
    expect(body.expires_in).toBeLessThanOrEqual(1_000);
    const use = async () =>
      (await served.fetch('/api/v1/drafts/acme', { token: body.access_token })).status;
    expect(await use()).toBe(200);
    const { keys } = await import('../../src/store/keys.ts');
    await served.store.create(
      keys.revoked(id),
      new TextEncoder().encode('{"revoked":"2026-01-01T00:00:00.000Z","v":1}'),
    );
    served.pass(31 * SECOND);
    expect(await use()).toBe(401);
  });
});
