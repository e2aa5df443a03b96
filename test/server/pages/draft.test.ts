/** A draft's page without a script: what it waits for, the reports to read, and giving it up. */
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { useGated } from '../../made/gated-served.ts';
import { RELEASE } from '../../made/live-registry.ts';
import { SignedIn } from '../../made/signed-in.ts';

const HOUR = 3_600_000;
const DRAFT = '/-/drafts/acme/tiny/v1.0';
const GATE: Requirements = {
  approvals: [{ role: 'reviewer', count: 1 }],
  evaluations: [{ suite: 'safety', accept: ['passed'] }],
  sealed: 50 * 3600,
};
const REPORT = utf8('<script>alert(1)</script>');
const report = { digest: digestOf(nodeHost, REPORT), size: REPORT.length };
const EVALUATED = { decision: 'evaluate', suite: 'safety', result: 'passed', report } as const;

const gated = useGated(GATE);

const signIn = async (who: string) =>
  SignedIn.as(gated().served, (await gated().api(who)).http.token!);
const shown = (text: string) => text.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ');
/** What the draft's page says to `who`, in words. */
const told = async (who: string) => shown((await (await signIn(who)).get(DRAFT)).text);

async function evaluate(said: Parameters<ReturnType<typeof gated>['decide']>[1] = EVALUATED) {
  await (await gated().api('eve')).putReport(RELEASE, REPORT);
  return gated().decide('eve', said);
}

describe('what a draft waits for', () => {
  test('is said in words: who, and until when', async () => {
    await gated().push();
    const text = await told('olga');
    expect(text).toMatch(
      /It waits for eve, rita and rob, and until \d+ \w+ \d{4}, \d\d:\d\d UTC, in 2 days 1 h/,
    );
    expect(text).toContain('It is for eve to evaluate it.');
    expect(text).toContain('It is for rita or rob to approve it.');
    expect(text).toContain('It is for max to sign the publish.');
    expect(text).toContain('It comes by itself:');
  });

  test('calls the reader “you”, and names what is met and by whom', async () => {
    await gated().push();
    expect(await told('rita')).toContain('It is for you or rob to approve it.');
    await evaluate();
    const text = await told('rita');
    expect(text).toContain('It waits for you and rob, and until');
    expect(text).toMatch(
      /What is met.*sealed, and the seal logged the registry.*suite safety: passed eve/,
    );
    await gated().decide('rita', { decision: 'approve' });
    expect(await told('rita')).toMatch(
      /Nobody has to do anything now: it waits until .*1 approval by the role reviewer you/,
    );
  });

  test('counts down to an exact time, until there is nothing to count', async () => {
    await gated().push();
    const { text } = await (await signIn('max')).get(DRAFT);
    const [, instant = ''] = /data-until="([^"]+)"/.exec(text) ?? [];
    expect(text).toContain(`<time datetime="${instant}">`);
    gated().pass(47 * HOUR + 10_000);
    expect(await told('max')).toMatch(/, in 2 h 59 min/);
    await evaluate();
    await gated().decide('rita', { decision: 'approve' });
    gated().pass(3 * HOUR);
    const after = await (await signIn('max')).get(DRAFT);
    expect(shown(after.text)).toContain('All that comes before the publish is met.');
    expect(after.text).not.toContain('data-until');
  });

  test('shows whose postponement it is, and who may end it before its time', async () => {
    await gated().push();
    const until = new Date(gated().now + 80 * HOUR).toISOString();
    await gated().decide('rob', { decision: 'postpone', until, reason: 'After the fair' });
    const text = await told('rita');
    expect(text).toMatch(
      /It is over by itself: .* UTC, in 3 days 7 h. Until then it is for rob or max to lift it./,
    );
    expect(text).toMatch(/It waits for you, eve and rob, and until .*, in 3 days 7 h/);
    await gated().decide('max', { decision: 'hold', reason: 'Wait' });
    expect(await told('max')).toContain('It is for you to lift it.');
  });
});

describe('a report', () => {
  const path = `${DRAFT}/reports/${report.digest}`;

  test('is there for whoever is shown the evaluation that names it, and no page', async () => {
    await gated().push();
    await evaluate();
    const rita = await signIn('rita');
    expect((await rita.get(DRAFT)).text).toContain(`href="${path}" download`);
    const { status, text, headers } = await rita.get(path);
    expect([status, text]).toEqual([200, '<script>alert(1)</script>']);
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    const api = await gated().served.fetch(
      `/api/v1/drafts/acme/tiny/v1.0/reports/${report.digest}`,
      {
        token: (await gated().api('rita')).http.token!,
      },
    );
    expect([api.status, await api.text()]).toEqual([200, '<script>alert(1)</script>']);
  });

  test('that is private has its digest on the page, and nothing to open', async () => {
    await gated().push();
    await evaluate({ ...EVALUATED, report: { ...report, private: true } });
    const { text } = await (await signIn('rita')).get(DRAFT);
    expect(text).toContain(`title="${report.digest}"`);
    expect(shown(text)).toContain('it is private');
    expect(text).not.toContain('/reports/');
    expect((await (await signIn('rita')).get(path)).status).toBe(404);
  });
});

describe('giving up', () => {
  const path = `${DRAFT}/withdraw`;
  const sure = { sure: 'yes' };

  test('takes no signature while nobody was asked to decide', async () => {
    await gated().served.upload(
      'acme/tiny@v1.0',
      { a: '1' },
      { token: (await gated().api('pat')).http.token! },
    );
    const pat = await signIn('pat');
    expect((await pat.get(DRAFT)).text).toContain(`action="${path}"`);
    expect((await pat.post(path)).status).toBe(400);
    expect((await pat.post(path, sure, 'https://elsewhere.example')).status).toBe(403);
    expect((await new SignedIn(gated().served).post(path, sure)).status).toBe(401);
    const { status, headers } = await pat.post(path, sure);
    expect([status, headers.get('location')]).toEqual([303, DRAFT]);
    expect(shown((await pat.get(DRAFT)).text)).toContain('It is given up');
  });

  test('what was sealed behind a gate is for a key, not for a form', async () => {
    await gated().push();
    const pat = await signIn('pat');
    expect((await pat.get(DRAFT)).text).not.toContain(`action="${path}"`);
    expect((await pat.post(path, sure)).status).toBe(403);
    expect(shown((await pat.get(DRAFT)).text)).toContain('sealed');
  });

  test('is not for those who only take part', async () => {
    const { served } = gated();
    await served.upload(
      'acme/tiny@v1.0',
      { a: '1' },
      { token: (await gated().api('pat')).http.token! },
    );
    const { token } = await served.token({ roles: ['reviewer'], subject: 'rita' });
    const rita = await SignedIn.as(served, token);
    expect((await rita.get(DRAFT)).text).not.toContain(`action="${path}"`);
    expect((await rita.post(path, sure)).status).toBe(403);
  });
});
