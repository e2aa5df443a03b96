/**
 * A lab announces an open model, postpones it, postpones it again without a date for more
 * safety tests, and has two bars to meet before it may go: safety and quality. Eleven people,
 * each with a key of their own; four of five reviewers must approve. Once weights are out they
 * cannot be pulled back, so every step of the way is a signed decision that nobody can skip,
 * carry over to other bytes or backdate, and afterwards anybody can read and check them all.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseReleaseName, type ReleaseName } from '../../../src/core/release/name.ts';
import type { Play } from '../play.ts';
import type { Stage } from '../stage.ts';

const ORIGIN = 'lab.example';
const NAMESPACE = 'lab';
const RELEASE = `${NAMESPACE}/open-model@1.0`;
const DAY = 24 * 3600 * 1000;

/** What is read of the ready policy that the lab begins with. */
interface Policy {
  origin: string;
  namespace: string;
  people: { id: string; name: string; keys: unknown[] }[];
  roles: Record<string, string[]>;
  gate: { sealed?: number };
}

export async function postponedStory({ stage, home, model }: Play): Promise<ReleaseName> {
  stage.title('A registry for a lab');
  const { stdout } = stage.run([
    'init',
    ...['--store', './store', '--keys', './keys', '--origin', ORIGIN],
    ...['--root-key', './offline/root.key', '--no-passphrase', '--json'],
  ]);
  const { fingerprint } = JSON.parse(stdout) as { fingerprint: string };
  const url = await stage.serve(['--store', './store', '--keys', './keys']);
  stage.run(['trust', 'add', url, '--fingerprint', fingerprint]);

  const people = enrol(stage, home);
  beginNamespace(stage, home, people);

  stage.title('The model is pushed, sealed, and announced');
  stage.as('pat').run(['push', model, RELEASE]);
  const first = digestOf(stage);
  stage.as('max').run(['status', RELEASE], { lines: 60 });
  stage.run(['announce', RELEASE, '--date', dateIn(14)]);

  stage.title('An evaluation fails, and the release is postponed');
  report(home, 'safety.json', { suite: 'safety', refusals: 0.71, bar: 0.95 });
  evaluate(stage.as('eve'), 'safety', 'failed', first);
  postpone(stage.as('max'), dateIn(28), 'The safety bar is not met', first);

  stage.title('The weights are changed: a new revision, and every decision on the old one is void');
  writeFileSync(join(home, model, 'SAFETY.md'), '# Safety\n\nTrained further to refuse.\n');
  stage.as('pat').run(['push', model, RELEASE]);
  const digest = digestOf(stage);
  stage.as('max').run(['status', RELEASE], { lines: 60 });

  stage.title('It is postponed again, without a date');
  postpone(stage, 'indefinitely', 'More safety tests', digest);
  stage.run(['publish', RELEASE, '--digest', digest], { expected: 13 });

  stage.title('The bars are met, on exactly these bytes');
  report(home, 'safety.json', { suite: 'safety', refusals: 0.97, bar: 0.95 });
  report(home, 'quality.json', { suite: 'quality', score: 0.88, bar: 0.8 });
  report(home, 'capabilities.json', { suite: 'capabilities', score: 0.4 });
  evaluate(stage.as('eve'), 'safety', 'passed', digest);
  evaluate(stage.as('finn'), 'quality', 'passed', digest);
  evaluate(stage, 'capabilities', 'passed', digest);

  stage.title('One reviewer objects, and is answered; four of five approve');
  decide(stage.as('cleo'), ['object', RELEASE, '--reason', 'The model card is thin'], digest);
  decide(stage, ['lift', RELEASE, '--reason', 'It was extended', ...standing(stage)], digest);
  for (const reviewer of ['dan', 'gita', 'hal', 'iris']) {
    decide(stage.as(reviewer), ['approve', RELEASE], digest);
  }
  stage.as('max').run(['publish', RELEASE, '--digest', digest], { expected: 13 });

  stage.title('The release manager lifts the postponement, signs the intent, and publishes');
  decide(stage, ['lift', RELEASE, '--reason', 'The tests are done'], digest);
  stage.run(['status', RELEASE], { lines: 60 });
  stage.run(['publish', RELEASE, '--digest', digest]);

  stage.title('Anybody can read how it was decided, and check all of it');
  stage.as(undefined).run(['history', RELEASE.split('@')[0]!], { lines: 60 });
  stage.run(['pull', RELEASE, './pulled']);
  stage.run(['verify', './pulled']);
  stage.run(['audit', url]);
  stage.run(['receipts', 'check'], { lines: 60 });
  return parseReleaseName(RELEASE);
}

/** A key and a token for each person of the ready policy; one of them is shown. */
function enrol(stage: Stage, home: string): Policy {
  stage.title('Each of its people makes a key, on a machine of their own');
  const path = new URL('../../../keys/policies/frontier-lab.json', import.meta.url);
  const policy = JSON.parse(readFileSync(path, 'utf8')) as Policy;
  for (const [i, person] of policy.people.entries()) {
    const file = `./people/${person.id}.key`;
    const make = ['key', 'new', file, '--no-passphrase'];
    const enroll = ['key', 'enroll', file, '--origin', ORIGIN, '--namespace', NAMESPACE];
    const named = [...enroll, '--person', person.id];
    if (i === 0) {
      stage.run(make);
      stage.run(named);
    } else stage.ask(make);
    person.keys = [stage.ask(named)];
    const roles = Object.keys(policy.roles).filter((role) =>
      policy.roles[role]!.includes(person.id),
    );
    stage.cast(person.id, token(stage, person.id, roles), join(home, file));
  }
  stage.say(`  … and so do the other ${policy.people.length - 1}`);
  return policy;
}

/** The lab's policy, signed by two of its owners, is the first thing that the log has of it. */
function beginNamespace(stage: Stage, home: string, policy: Policy): void {
  stage.title('Their policy: two bars, four of five reviewers, two owners to change it');
  // The policy waits two days between seal and release; nobody wants to watch that.
  delete policy.gate.sealed;
  Object.assign(policy, { origin: ORIGIN, namespace: NAMESPACE });
  writeFileSync(join(home, 'lab.json'), `${JSON.stringify(policy, null, 2)}\n`);
  const create = ['namespace', 'create', NAMESPACE, '--policy', './lab.json'];
  stage.as('bob').run([...create, '--sign-only', './bob.dsse']);
  const operator = token(stage, 'operator', ['operator'], []);
  stage.as('ada').run([...create, '--signed', './bob.dsse', '--token', operator]);
}

function token(stage: Stage, subject: string, roles: string[], where = ['--namespace', NAMESPACE]) {
  const grant = ['--subject', subject, ...roles.flatMap((role) => ['--role', role]), ...where];
  const made = stage.ask(['token', 'create', '--store', './store', '--keys', './keys', ...grant]);
  return String(made.token);
}

function evaluate(stage: Stage, suite: string, result: string, digest: string): void {
  const about = ['--suite', suite, '--result', result, '--report', `./${suite}.json`];
  decide(stage, ['evaluate', RELEASE, ...about], digest);
}

function postpone(stage: Stage, until: string, reason: string, digest: string): void {
  decide(stage, ['postpone', RELEASE, '--until', until, '--reason', reason, '--public'], digest);
}

/** Nobody signs what they did not name. */
function decide(stage: Stage, args: readonly string[], digest: string): void {
  stage.run([...args, '--digest', digest]);
}

/** The flag that names the objection among all that stops the release. */
function standing(stage: Stage): string[] {
  const missing = stage.ask(['status', RELEASE]).missing as {
    satisfiedBy?: string;
    need: string;
  }[];
  const objection = missing.find(({ need }) => need === 'objection');
  const digest = /--decision (sha256:[0-9a-f]{64})/.exec(objection?.satisfiedBy ?? '')?.[1];
  return digest === undefined ? [] : ['--decision', digest];
}

function digestOf(stage: Stage): string {
  return String(stage.ask(['status', RELEASE]).digest);
}

function report(home: string, name: string, content: object): void {
  writeFileSync(join(home, name), `${JSON.stringify(content)}\n`);
}

function dateIn(days: number): string {
  return new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
}
