/** What a release's page tells beyond its bytes: on what it rests, what it stands for, what was made of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import type { Digest } from '../../../src/core/digest.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { parseNamespace } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { signPolicy, soloFor } from '../../../src/operator/namespace.ts';
import { useGated } from '../../made/gated-served.ts';
import { nonceOf, OPERATOR, RELEASE } from '../../made/live-registry.ts';
import { draftPath, Served } from '../../made/served.ts';

async function pageOf(served: Served, path: string) {
  const response = await served.fetch(path, { headers: { Accept: 'text/html' } });
  const text = await response.text();
  return { status: response.status, text, shown: shown(text) };
}

const shown = (text: string) => text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

describe('a release behind a gate', () => {
  const gated = useGated();
  const REPORT = utf8('{"score": 0.97}\n');
  const report = { digest: digestOf(nodeHost, REPORT), size: REPORT.length };
  const harness = digestOf(nodeHost, utf8('harness'));

  test('links the reports that it reveals, and says which are private', async () => {
    await gated().push();
    await (await gated().api('eve')).putReport(RELEASE, REPORT);
    const evaluate = { decision: 'evaluate', result: 'passed' } as const;
    await gated().decide('eve', { ...evaluate, suite: 'open', report, harness });
    const hidden = { digest: digestOf(nodeHost, utf8('x')), size: 1, private: true } as const;
    await gated().decide('eve', { ...evaluate, suite: 'closed', report: hidden });
    await gated().decide('rita', { decision: 'approve' });
    await gated().publish();

    const { served } = gated();
    const page = await pageOf(served, '/acme/tiny/v1.0');
    const [, link = ''] = /href="([^"]+\/reports\/[^"]+)"/.exec(page.text) ?? [];
    expect(await (await served.fetch(link)).text()).toBe('{"score": 0.97}\n');
    expect(page.text.match(/\/reports\//g)).toHaveLength(1);
    expect(page.text).toContain(`title="${hidden.digest}"`);
    expect(page.shown).toContain('it is private, and only its digest is public');
    expect(page.text).toContain(`title="${harness}"`);
  });
});

describe('a model and what surrounds it', () => {
  let served: Served;
  let digest: Digest;
  beforeAll(async () => {
    served = await Served.start();
    ({ digest } = await served.publish('acme/tiny@v1', { a: '1' }));
    await served.publish('acme/tiny@v2', { a: '2' });
  });
  afterAll(() => served.stop());

  async function publishMade(reference: string, relation: string): Promise<void> {
    const session = await served.upload(reference, { a: reference });
    const base = [{ relation, release: 'acme/tiny@v1', digest }];
    const json = { nonce: nonceOf(5), paths: ['a'], base };
    const draft = draftPath(reference);
    let status = await served.api(`${draft}/seal`, { method: 'POST', token: session, json });
    while (status.state !== 'sealed') status = await served.api(draft);
    await served.api(`${draft}/publish`, { method: 'POST', json: { digest: status.digest } });
  }

  test('names what was made from it, by how, as their publishers say', async () => {
    await publishMade('acme/tiny-chat@1', 'finetune');
    await publishMade('acme/tiny-q4@1', 'quantized');
    const page = await pageOf(served, '/acme/tiny');
    expect(page.shown).toMatch(/Made from it As their publishers say/);
    expect(page.shown).toMatch(
      /Fine-tuned acme\/tiny-chat 1 from v1 Quantised acme\/tiny-q4 1 from v1/,
    );
    expect((await pageOf(served, '/acme/tiny-q4')).shown).not.toContain('Made from it');
    await publishMade('acme/tinyest@1', 'merge');
    expect((await pageOf(served, '/acme/tiny')).shown).toContain('acme/tinyest 1 from v1');
  });

  test('is not made the base of what only names a longer one', async () => {
    const { digest: longer } = await served.publish('acme/tiny2@1', { a: '3' });
    expect(longer).toBeDefined();
    const page = await pageOf(served, '/acme/tin');
    expect(page.status).toBe(404);
    expect((await pageOf(served, '/acme/tiny2')).shown).not.toContain('Made from it');
  });

  test('leads from a superseded release to its successor, and back', async () => {
    await served.advise('acme/tiny@v1', digest, 'superseded', 'Fixed in v2: use that.');
    const before = await pageOf(served, '/acme/tiny/v1');
    expect(before.text).toMatch(/<dt>Superseded by<\/dt><dd><a href="\/acme\/tiny\/v2">v2<\/a>/);
    const after = await pageOf(served, '/acme/tiny/v2');
    expect(after.text).toMatch(/<dt>Supersedes<\/dt><dd><a href="\/acme\/tiny\/v1">v1<\/a>/);
  });

  test('of a namespace that looks like an earlier one is told apart from it, on each page', async () => {
    const name = parseNamespace('a-c-m-e');
    const policy = await soloFor(served.origin, name, served.owner, 'owner');
    const signed = await signPolicy(served.owner, policy);
    await served.registry.createNamespace(OPERATOR, { ...signed, override: true });
    const { token } = await served.token({ roles: ['publisher'], namespace: 'a-c-m-e' });
    await served.publish('a-c-m-e/tiny@v1', { a: '1' }, { token });
    for (const path of ['/a-c-m-e', '/a-c-m-e/tiny', '/a-c-m-e/tiny/v1']) {
      expect((await pageOf(served, path)).shown).toContain('This is not acme .');
    }
    for (const path of ['/acme', '/acme/tiny', '/acme/tiny/v1']) {
      expect((await pageOf(served, path)).shown).not.toContain('This is not');
    }
  });
});
