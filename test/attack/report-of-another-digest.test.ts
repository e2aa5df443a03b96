/** An evaluation names its report by digest and size: what is shown later is what was signed for. */
import { writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { keys } from '../../src/store/keys.ts';
import { useGated } from '../made/gated-served.ts';
import { ACME, RELEASE } from '../made/live-registry.ts';
import { refused } from '../made/refused.ts';

const gated = useGated({ evaluations: [{ suite: 'safety', accept: ['passed'] }] });
const SAID = { decision: 'evaluate', suite: 'safety', result: 'passed' } as const;
const REPORT = utf8('All suites failed.');
const OTHER = utf8('All suites passed.');

const named = (report: Uint8Array, size = report.length) => ({
  ...SAID,
  report: { digest: digestOf(nodeHost, report), size },
});

test('an evaluation whose report is another one than was sent is not recorded', async () => {
  await gated().push();
  await (await gated().api('eve')).putReport(RELEASE, REPORT);
  const { digest } = named(OTHER).report;
  await refused(
    gated().decide('eve', named(OTHER)),
    'conflict',
    `the report ${digest} is not here; send it first, or keep it private`,
  );
});

test('nor is one whose report has another size', async () => {
  await gated().push();
  await (await gated().api('eve')).putReport(RELEASE, REPORT);
  const said = named(REPORT, REPORT.length + 1);
  await refused(
    gated().decide('eve', said),
    'conflict',
    `the report ${said.report.digest} has ${REPORT.length} bytes, not ${REPORT.length + 1}`,
  );
});

test('a report that was changed in the store is never served', async () => {
  await gated().push();
  const api = await gated().api('eve');
  await api.putReport(RELEASE, REPORT);
  await gated().decide('eve', named(REPORT));
  await gated().publish();
  const { digest } = named(REPORT).report;
  expect(await api.report(RELEASE, digest)).toEqual(REPORT);
  await writeFile(gated().stored(keys.report(ACME, digest)), OTHER);
  await refused(
    api.report(RELEASE, digest),
    'storage',
    'the registry’s store failed; its operator finds the reason in the log',
  );
});
