/** Mix and match (cosign CVE-2022-35929): an evaluation that passed, of other bytes than are released. */
import { expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { FILES } from '../made/live-registry.ts';
import { refused } from '../made/refused.ts';

const gated = useGated({ evaluations: [{ suite: 'safety', accept: ['passed'] }] });
const report = { digest: `sha256:${'0'.repeat(64)}`, size: 1, private: true } as never;
const PASSED = { decision: 'evaluate', suite: 'safety', result: 'passed', report } as const;
const HARMLESS = parseReleaseName('acme/harmless@v1');

test('an evaluation of other bytes is not recorded for these', async () => {
  const other = await gated().push(HARMLESS, { 'README.md': 'A harmless model.' });
  const digest = await gated().push();
  const evaluation = await gated().sign('eve', PASSED, { digest: other });
  const details = await refused(
    gated().open(await gated().commit(evaluation), evaluation),
    'conflict',
    `revision 1 of acme/tiny@v1.0 is sealed as ${digest}; the decision is about revision 1, ${other}: look at what is sealed, and decide again`,
  );
  expect(details).toMatchObject({ reason: 'another-digest', digest });
});

test('nor does an evaluation of what was sealed before count for what is sealed now', async () => {
  const first = await gated().push(undefined, { 'README.md': 'A harmless model.' });
  const { index } = await gated().decide('eve', PASSED);
  await gated().push(undefined, { 'README.md': 'Another model.' });
  await refused(
    gated().publish(),
    'gate-unmet',
    `the suite safety must have passed on this digest (not counted: eve’s in entry ${index}, it is about revision 1, ${first})`,
  );
});

test('nor does one of the same bytes under another name: it names that digest', async () => {
  await gated().push(HARMLESS, FILES);
  await gated().push();
  const { index } = await gated().decide('eve', PASSED, { release: HARMLESS });
  await refused(
    gated().publish(),
    'gate-unmet',
    `the suite safety must have passed on this digest (not counted: eve’s in entry ${index}, it is about acme/harmless@v1)`,
  );
});

test('an evaluation by another harness, or with another result, than the policy asks for does not count', async () => {
  const harness = `sha256:${'a'.repeat(64)}` as never;
  const gate = {
    evaluations: [{ suite: 'safety', accept: ['passed' as const] as ['passed'], harness }],
  };
  await gated().setPolicy(gated().policy(2, gate), 'olga');
  await gated().push();
  const { index } = await gated().decide('eve', PASSED);
  await refused(
    gated().publish(),
    'gate-unmet',
    `the suite safety must have passed on this digest (not counted: eve’s in entry ${index}, it names no harness, not ${harness})`,
  );
});

test('an auditor finds it, when the registry lets it pass', async () => {
  expect(await auditOf('an evaluation of other bytes')).toEqual([
    expect.stringMatching(
      /^gate-unmet: the suite safety must have passed or warned on this digest/,
    ),
  ]);
});
