/**
 * A machine that is let in speaks as a person. Whoever wants that without them guesses codes, takes a
 * token twice, asks for more than they have, or has their browser say yes.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DEVICE_SECONDS, MAX_PENDING } from '../../src/server/device-logins.ts';
import { RATES } from '../../src/server/rate-limits.ts';
import { GRANT, Machine, post } from '../made/device.ts';
import { Served } from '../made/served.ts';
import { SignedIn } from '../made/signed-in.ts';

const PAGE = '/-/device';

let served: Served;
beforeEach(async () => {
  served = await Served.start();
});
afterEach(() => served.stop());

async function signIn(
  roles: Parameters<Served['token']>[0]['roles'] = ['reviewer'],
  subject = 'dana',
) {
  return SignedIn.as(served, (await served.token({ roles, subject })).token);
}

const letIn = (who: SignedIn, code: string, origin?: string | null) =>
  who.post(PAGE, { code, verdict: 'let-in', same: 'yes' }, origin);

describe('a code', () => {
  test('is not guessed: after a few tries nobody is heard for a minute', async () => {
    const machine = await Machine.ask(served);
    const mallory = await signIn();
    const statuses: number[] = [];
    for (let tries = 0; tries <= RATES.device; tries++) {
      statuses.push((await mallory.post(PAGE, { code: 'BBBB-BBBB' })).status);
    }
    expect(statuses).toEqual([...Array(RATES.device).fill(404), 429]);
    // The right one, too, however it is answered.
    expect((await letIn(mallory, machine.code)).status).toBe(429);
    expect((await machine.poll()).body.error).toBe('authorization_pending');
  });

  test('is made for so many machines at once, and for few of one address', async () => {
    const asks = Array.from({ length: RATES.device + 1 }, () =>
      post(`${served.url}/api/v1/device`, { client_id: 'test' }),
    );
    const statuses = (await Promise.all(asks)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(MAX_PENDING).toBeLessThanOrEqual(500);
  });

  test('is looked at by nobody who is not signed in', async () => {
    const machine = await Machine.ask(served, { machine: 'lab-7' });
    const nobody = new SignedIn(served);
    for (const { status, text } of [
      await nobody.get(`${PAGE}?code=${machine.code}`),
      await nobody.post(PAGE, { code: machine.code }),
      await letIn(nobody, machine.code),
    ]) {
      expect([status, text.includes('lab-7')]).toEqual([401, false]);
    }
  });

  test('lets nobody in after its time, whoever says so', async () => {
    const machine = await Machine.ask(served);
    const dana = await signIn();
    served.pass(DEVICE_SECONDS * 1_000);
    for (const who of [dana, await signIn(['owner'], 'olga')]) {
      expect((await letIn(who, machine.code)).status).toBe(404);
    }
    expect((await machine.poll()).body.error).toBe('expired_token');
  });

  test('that was let in in time, and is polled late, gets nothing', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(), machine.code);
    served.pass(DEVICE_SECONDS * 1_000);
    expect((await machine.poll()).body.error).toBe('expired_token');
  });
});

describe('a yes', () => {
  test('is said by a form of our own page, with the code compared, and by nothing else', async () => {
    const machine = await Machine.ask(served);
    const dana = await signIn();
    expect((await letIn(dana, machine.code, 'https://elsewhere.example')).status).toBe(403);
    expect((await letIn(dana, machine.code, null)).status).toBe(403);
    expect((await dana.post(PAGE, { code: machine.code, verdict: 'let-in' })).status).toBe(400);
    const link = `${PAGE}?${new URLSearchParams({ code: machine.code, verdict: 'let-in', same: 'yes' })}`;
    await dana.get(link);
    expect((await machine.poll()).body.error).toBe('authorization_pending');
  });

  test('counts once: nobody answers after somebody did', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(['reviewer'], 'dana'), machine.code);
    const olga = await signIn(['owner'], 'olga');
    expect((await letIn(olga, machine.code)).status).toBe(404);
    expect((await olga.post(PAGE, { code: machine.code, verdict: 'refuse' })).status).toBe(404);
    expect((await olga.post(PAGE, { code: machine.code })).status).toBe(404);
    expect((await machine.poll()).body.scope).toBe('reviewer');
  });

  test('of several at once only one counts', async () => {
    const machine = await Machine.ask(served);
    const people = [await signIn(['reviewer'], 'dana'), await signIn(['owner'], 'olga')];
    const said = await Promise.all(people.map((who) => letIn(who, machine.code)));
    expect(said.map(({ status }) => status).toSorted()).toEqual([200, 404]);
  });

  test('gives no role that the session has not', async () => {
    const machine = await Machine.ask(served, { scope: 'owner operator' });
    const dana = await signIn(['reviewer']);
    expect((await letIn(dana, machine.code)).status).toBe(409);
    expect((await machine.poll()).body.error).toBe('authorization_pending');
  });

  test('of a session that was signed out meanwhile gives nothing', async () => {
    const machine = await Machine.ask(served);
    const dana = await signIn();
    await letIn(dana, machine.code);
    await dana.post('/-/sign-out');
    expect((await machine.poll()).body.error).toBe('invalid_grant');
  });
});

describe('a token', () => {
  test('is taken once, also by two who ask two servers at once', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(), machine.code);
    const servers = [served.url, await served.startAnother()];
    const told = await Promise.all(servers.map((url) => machine.poll(url)));
    expect(told.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    expect((await machine.poll()).body.error).toBe('invalid_grant');
  });

  test('is not had with the code that people type, nor with any other token of ours', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(), machine.code);
    const { token } = await served.token({ roles: ['reviewer'] });
    for (const other of [machine.code, token, `${machine.deviceCode.slice(0, -4)}AAAA`, '']) {
      expect((await machine.poll(served.url, other)).body.error).toBe('invalid_grant');
    }
    const wrong = { grant_type: 'authorization_code', device_code: machine.deviceCode };
    expect((await post(`${served.url}/api/v1/device/token`, wrong)).body.error).toBe(
      'unsupported_grant_type',
    );
    expect(GRANT).toBe('urn:ietf:params:oauth:grant-type:device_code');
  });

  test('is what a device code is not: no API takes one', async () => {
    const { deviceCode } = await Machine.ask(served);
    expect((await served.fetch('/api/v1/drafts/acme', { token: deviceCode })).status).toBe(401);
  });

  test('opens no session, and makes no longer token of itself', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(), machine.code);
    const { access_token: token } = (await machine.poll()).body;
    const thief = new SignedIn(served);
    thief.cookie = `__Host-weighhouse=${token}`;
    expect((await thief.get('/-/drafts')).status).toBe(401);
    const again = await Machine.ask(served);
    expect((await letIn(thief, again.code)).status).toBe(401);
  });

  test('prolongs itself by no way round, through a link, a session and another machine', async () => {
    const machine = await Machine.ask(served);
    await letIn(await signIn(), machine.code);
    const { access_token: token, expires_in: first } = (await machine.poll()).body;
    served.pass(100_000);
    const again = await Machine.ask(served);
    await letIn(await SignedIn.as(served, token), again.code);
    expect((await again.poll()).body.expires_in).toBeLessThanOrEqual(first - 100);
  });
});

test('what a machine calls itself is never markup', async () => {
  const machine = await Machine.ask(served, {
    machine: '"><xss-machine onxss="x"><script>xss()</script>',
  });
  const { text } = await (await signIn()).post(PAGE, { code: machine.code });
  expect(text).toContain('&lt;xss-machine');
  expect(text).not.toMatch(/<xss|<script>xss/);
});
