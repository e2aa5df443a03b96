/**
 * A gated release as people make it: each with a key, a token and a configuration of their own,
 * against a server that runs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Made, ORIGIN, Sandbox, type ServerProcess } from './sandbox.ts';
import {
  exported,
  forged,
  type SerializedEnvelope,
  sigstoreEnvelopeVerifier,
  sigstoreVerifier,
} from './sigstore.ts';

const REFERENCE = 'lab/tiny@1';
const MINUTES = 60_000;

/** Who is who. */
const PEOPLE = {
  ada: ['owner'],
  bob: ['owner'],
  eve: ['evaluator'],
  max: ['release-manager'],
  pat: ['publisher'],
  rita: ['reviewer'],
  rob: ['reviewer'],
} as const;
type Id = keyof typeof PEOPLE;
const IDS = Object.keys(PEOPLE) as Id[];

let sandbox: Sandbox;
let made: Made;
let server: ServerProcess;
const tokens = new Map<string, string>();
let digest: string;

/** From here on that person types. */
function as(id: Id): Sandbox {
  sandbox.env.WEIGHHOUSE_TOKEN = tokens.get(id)!;
  sandbox.env.WEIGHHOUSE_KEY = sandbox.path(`${id}.key`);
  sandbox.env.XDG_CONFIG_HOME = sandbox.path('homes', id);
  return sandbox;
}

const named = () => ['--digest', digest];
const where = ['--store', 'store', '--keys', 'keys'];

const policyWith = (version: number, count: number, keys: ReadonlyMap<Id, object>) => ({
  v: 1,
  origin: ORIGIN,
  namespace: 'lab',
  version,
  people: IDS.map((id) => ({ id, name: id, keys: [keys.get(id)] })),
  roles: {
    owner: ['ada', 'bob'],
    publisher: ['pat'],
    evaluator: ['eve'],
    reviewer: ['rita', 'rob'],
    'release-manager': ['max'],
  },
  owners: 2,
  delay: 3600,
  gate: {
    evaluations: [{ suite: 'safety', accept: ['passed'] }],
    approvals: [{ role: 'reviewer', count }],
  },
  formats: { allow: [] },
});

const keys = new Map<Id, object>();

beforeAll(async () => {
  sandbox = await Sandbox.make();
  made = await sandbox.init('acme');
  server = await sandbox.serve();
  for (const id of IDS) {
    await sandbox.json('key', 'new', `${id}.key`, '--no-passphrase');
    const enroll = ['--origin', ORIGIN, '--namespace', 'lab', '--person', id];
    keys.set(id, await sandbox.json('key', 'enroll', `${id}.key`, ...enroll));
    const grant = ['--subject', id, '--role', PEOPLE[id][0], '--namespace', 'lab'];
    tokens.set(id, (await sandbox.json('token', 'create', ...where, ...grant)).token);
    await as(id).trust(made);
  }
  const operator = ['token', 'create', ...where, '--subject', 'op', '--role', 'operator'];
  const { token } = await sandbox.json(...operator);
  await writeFile(sandbox.path('lab.json'), JSON.stringify(policyWith(1, 1, keys)));
  const create = ['namespace', 'create', 'lab', '--policy', 'lab.json'];
  await as('bob').json(...create, '--sign-only', 'bob.first');
  await as('ada').json(...create, '--signed', 'bob.first', '--token', token);
  await sandbox.write('model', { 'config.json': '{}', 'notes.md': 'tiny' });
}, 2 * MINUTES);

afterAll(async () => {
  await server?.stop();
  await sandbox?.remove();
});

const missing = async () =>
  ((await as('max').json('status', REFERENCE)).missing as { need: string }[]).map((it) => it.need);

describe('the gate', () => {
  test(
    'is set stricter by two owners, at once, and by one of them not at all',
    async () => {
      await writeFile(sandbox.path('next.json'), JSON.stringify(policyWith(2, 2, keys)));
      const alone = await as('ada').failure(13, 'policy', 'set', 'lab', 'next.json');
      expect(alone.message).toContain('--sign-only');
      await as('ada').json('policy', 'set', 'lab', 'next.json', '--sign-only', 'ada.dsse');
      const set = await as('bob').json('policy', 'set', 'lab', 'next.json', '--signed', 'ada.dsse');
      expect(set).toMatchObject({ version: 2, change: 'stricter' });
      const { policies } = await sandbox.json('policy', 'history', 'lab');
      expect(policies).toMatchObject([{ version: 1 }, { version: 2, index: set.index }]);
    },
    MINUTES,
  );

  test(
    'lacks everything when the draft is sealed, and says what would meet it',
    async () => {
      ({ digest } = await as('pat').json('push', 'model', REFERENCE));
      expect(await missing()).toEqual(['evaluation', 'approval', 'intent']);
      const refused = await as('max').failure(13, 'publish', REFERENCE, ...named());
      expect(refused.message).toContain(`weighhouse status ${REFERENCE}`);
      const { stdout } = await as('max').run('status', REFERENCE);
      expect(stdout).toContain(`next: weighhouse approve ${REFERENCE}`);
      expect(stdout).toMatch(/met +sealed, and the seal logged\n +registry/);
    },
    MINUTES,
  );

  test(
    'takes no decision about a digest that is not named, or is not sealed',
    async () => {
      expect((await as('rita').failure(2, 'approve', REFERENCE)).message).toContain('--digest');
      const other = `sha256:${'0'.repeat(64)}`;
      await as('rita').failure(13, 'approve', REFERENCE, '--digest', other);
    },
    MINUTES,
  );

  test(
    'hears an evaluation, an objection and its lift, and two approvals',
    async () => {
      await writeFile(sandbox.path('report.json'), '{"score":1}');
      const suite = ['--suite', 'safety', '--result', 'passed', '--report', 'report.json'];
      const evaluated = await as('eve').json('evaluate', REFERENCE, ...suite, ...named());
      expect(evaluated).toMatchObject({ decision: 'evaluate', digest, n: 0, recorded: true });
      await as('rita').json('object', REFERENCE, '--reason', 'A licence', ...named());
      expect(await missing()).toContain('objection');
      await as('rita').json('lift', REFERENCE, '--reason', 'It is there', ...named());
      expect(await missing()).toEqual(['approval', 'intent']);
      await as('rita').json('approve', REFERENCE, ...named());
      await as('rob').json('approve', REFERENCE, ...named());
      expect(await missing()).toEqual(['intent']);
    },
    MINUTES,
  );

  test(
    'is closed by a hold, and by a postponement that everybody may know of',
    async () => {
      await as('max').json('hold', REFERENCE, '--reason', 'Wait', ...named());
      const refused = await as('max').failure(13, 'publish', REFERENCE, ...named());
      expect(refused.message).toContain('holds it');
      await as('max').json('lift', REFERENCE, '--reason', 'Go on', ...named());
      const announce = ['announce', REFERENCE, '--date', '2030-01-01'];
      expect(await as('max').json(...announce)).toMatchObject({ announcement: 'announced' });
      const until = ['--until', 'indefinitely', '--reason', 'More safety tests', '--public'];
      await as('max').json('postpone', REFERENCE, ...until, ...named());
      expect(await missing()).toEqual(['postponed', 'intent']);
      await as('max').json('lift', REFERENCE, '--reason', 'They passed', ...named());
      expect(await missing()).toEqual(['intent']);
    },
    MINUTES,
  );

  test(
    'takes a decision from a key that no network reaches',
    async () => {
      const { pem } = await as('rob').json('key', 'show', 'rob.key');
      await writeFile(sandbox.path('rob.pem'), pem);
      const flags = ['--unsigned', 'rob.json', '--public-key', 'rob.pem'];
      await as('rob').json('approve', REFERENCE, ...flags, ...named());
      expect((await as('rob').failure(2, 'decide', '--submit', 'rob.json')).message).toContain(
        'sign',
      );
      await as('rita').failure(11, 'decide', '--sign-offline', 'rob.json', ...named());
      await as('rob').json('decide', '--sign-offline', 'rob.json', ...named());
      const submitted = await as('rob').json('decide', '--submit', 'rob.json');
      expect(submitted).toMatchObject({ decision: 'approve', n: 1, recorded: true });
      expect(await as('rob').json('decide', '--submit', 'rob.json')).toEqual(submitted);
      expect(await as('rob').json('decide', '--resume')).toEqual({ decisions: [] });
    },
    MINUTES,
  );

  test(
    'opens for the release manager’s signature alone',
    async () => {
      const { WEIGHHOUSE_KEY: _, ...rest } = as('max').env;
      sandbox.env.WEIGHHOUSE_KEY = '';
      expect((await sandbox.failure(2, 'publish', REFERENCE, ...named())).message).toContain(
        '--key',
      );
      Object.assign(sandbox.env, rest);
      const published = await as('max').json('publish', REFERENCE, ...named());
      expect(published).toMatchObject({ reference: REFERENCE, digest });
      const again = await as('max').json('publish', REFERENCE, ...named());
      expect(again.index).toBe(published.index);
    },
    MINUTES,
  );
});

describe('the release', () => {
  test(
    'is pulled and verified as any other',
    async () => {
      await as('pat').json('pull', REFERENCE, 'pulled');
      expect(await sandbox.json('verify', 'pulled')).toMatchObject({ ok: true, digest });
    },
    MINUTES,
  );

  test(
    'verifies with sigstore-js, and so do the verdict and the manager’s intent',
    async () => {
      const bundle = JSON.parse(await readFile(sandbox.path('pulled/model.sig'), 'utf8'));
      const verify = await sigstoreVerifier(sandbox, bundle);
      expect(() => verify(bundle)).not.toThrow();
      expect(() => verify({ ...bundle, dsseEnvelope: forged(bundle.dsseEnvelope) })).toThrow();
      const { pem } = await sandbox.json('key', 'show', 'max.key');
      const signers = { 'verdict.dsse': await exported(sandbox, 'pem'), 'intent.dsse': pem };
      for (const [document, key] of Object.entries(signers)) {
        const path = `/api/v1/releases/${REFERENCE.replace('@', '/')}/${document}`;
        const response = await fetch(`${server.url}${path}`);
        const envelope = (await response.json()) as SerializedEnvelope;
        const check = await sigstoreEnvelopeVerifier(sandbox, key);
        expect(() => check(envelope)).not.toThrow();
        expect(() => check(forged(envelope))).toThrow();
        const payload = Buffer.from(envelope.payload, 'base64').toString();
        expect(payload).toContain(digest.replace('sha256:', ''));
      }
    },
    MINUTES,
  );

  test(
    'reveals every decision that there is a receipt of',
    async () => {
      for (const id of ['eve', 'rita', 'rob', 'max'] as const) {
        const { ok, receipts } = await as(id).json('receipts', 'check');
        expect(ok).toBe(true);
        expect(receipts.length).toBeGreaterThan(0);
        for (const receipt of receipts)
          expect(receipt).toMatchObject({ digest, state: 'revealed' });
      }
    },
    MINUTES,
  );

  test(
    'has a history of all that was announced and decided',
    async () => {
      const { events } = await sandbox.json('history', 'lab/tiny');
      const said = (events as { kind: string; text: string }[]).filter(
        ({ kind }) => kind !== 'namespace' && kind !== 'policy',
      );
      expect(said.map(({ text }) => text)).toEqual([
        `registry sealed ${REFERENCE}: pushed by pat`,
        `eve evaluated ${REFERENCE}: safety passed`,
        `rita objected to ${REFERENCE}: A licence`,
        expect.stringMatching(/^rita lifted what stopped .*: It is there$/),
        `rita approved ${REFERENCE}`,
        `rob approved ${REFERENCE}`,
        `max held ${REFERENCE}: Wait`,
        expect.stringMatching(/^max lifted what stopped .*: Go on$/),
        `${REFERENCE} was announced for 2030-01-01T00:00:00.000Z`,
        `max postponed ${REFERENCE}: indefinitely: More safety tests`,
        `${REFERENCE} was postponed until further notice`,
        expect.stringMatching(/^max lifted what stopped .*: They passed$/),
        `rob approved ${REFERENCE}`,
        `${REFERENCE} was published`,
      ]);
    },
    MINUTES,
  );

  test(
    'passes the audit, which opens every decision',
    async () => {
      const audited = await sandbox.json('audit');
      expect(audited).toMatchObject({ ok: true, releases: 1, violations: [] });
    },
    MINUTES,
  );
});
