/**
 * The operator has the store. An objection that they take out of it is still in the log, under a
 * label that everybody can compute.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { keys } from '../../src/store/keys.ts';
import { auditOf, useGated } from '../made/gated-served.ts';
import { refused } from '../made/refused.ts';
import type { Signed } from '../made/team.ts';

const gated = useGated();
const OBJECTION = { decision: 'object', reason: 'A licence' } as const;

async function objected(): Promise<Signed> {
  await gated().push();
  await gated().decide('rita', { decision: 'approve' });
  const objection = await gated().sign('rob', OBJECTION);
  await gated().open(await gated().commit(objection), objection);
  await refused(gated().publish(), 'gate-unmet', /^rob objects to it/);
  return objection;
}

test('a decision that is taken out of the store stops the release like one that nobody opened', async () => {
  const objection = await objected();
  await rm(gated().stored(keys.decision(objection.label)));
  const index = await gated().commit(objection);
  await refused(
    gated().publish(),
    'gate-unmet',
    `the commitment at ${index} may be an objection: nobody has opened it`,
  );
});

test('so does one that is replaced by another one', async () => {
  const objection = await objected();
  const file = gated().stored(keys.decision(objection.label));
  const approval = await gated().sign('rob', { decision: 'approve' });
  const held = JSON.parse(await readFile(file, 'utf8'));
  const other = { ...held, envelope: Buffer.from(approval.envelope).toString('base64') };
  await writeFile(file, JSON.stringify(other));
  await refused(gated().publish(), 'gate-unmet', /may be an objection: nobody has opened it$/);
});

test('a server from whose store the label is gone, too, is found by everybody who audits', async () => {
  const objection = await objected();
  const index = await gated().commit(objection);
  await rm(gated().stored(keys.decision(objection.label)));
  await rm(gated().stored(keys.label(objection.label)));
  const { index: release } = await gated().publish();
  expect(await gated().audit()).toMatchObject([
    {
      index: release,
      code: 'gate-unmet',
      message: `the commitment at ${index} may be an objection: nobody has opened it`,
    },
  ]);
});

test('an objection to an earlier revision is as little dropped', async () => {
  expect(await auditOf('an objection to a former revision is dropped')).toEqual([
    expect.stringMatching(
      /^gate-unmet: the commitment at \d+ may be an objection: nobody has opened/,
    ),
  ]);
});
