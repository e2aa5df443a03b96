/** What the gate does not count is told even where others have met it. */
import { expect, test } from '@jest/globals';
import { useGated } from '../made/gated-served.ts';
import { FILES, RELEASE } from '../made/live-registry.ts';

const gated = useGated();

test('an approval of who pushed is passed over, though the gate has another one', async () => {
  await gated().push(RELEASE, FILES, 'rob');
  await gated().decide('rob', { decision: 'approve' });
  await gated().decide('rita', { decision: 'approve' });
  const api = await gated().api('max');
  const { missing, passedOver, decisions } = await api.draftStatus(RELEASE);
  expect(missing.map(({ need }) => need)).toEqual(['intent']);
  const [robs] = decisions.filter(({ person }) => person === 'rob');
  expect(passedOver).toEqual([
    { index: robs!.index, person: 'rob', reason: 'pushed', about: 'reviewer' },
  ]);
});

test('so is what was said of an earlier revision', async () => {
  await gated().push();
  await gated().decide('rita', { decision: 'approve' });
  await gated().push(RELEASE, { ...FILES, 'more.txt': 'more' });
  const { passedOver } = await (await gated().api('max')).draftStatus(RELEASE);
  expect(passedOver).toMatchObject([{ person: 'rita', reason: 'another-draft' }]);
});
