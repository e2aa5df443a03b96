/**
 * An operator keeps two logs and shows one of them to a signer. What the signer signs names the
 * root that they were shown, so the release in the other log gives it away.
 */
import { describe, expect, test } from '@jest/globals';
import { formatDigest } from '../../../src/core/digest.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { Audited } from '../../made/audited.ts';
import { GatedNamespace, type Saying } from '../../made/gated.ts';
import { MadeRegistry } from '../../made/registry.ts';

const APPROVED: Requirements = { approvals: [{ role: 'reviewer', count: 1 }] };

/** Releases what rita approved, who says that she saw that log. */
function released(seen: (made: MadeRegistry) => Saying) {
  const audited = new Audited();
  const { made } = audited;
  const space = new GatedNamespace(made, 'acme', APPROVED);
  const draft = space.draft('kimi@v1', 'weights');
  draft.seal();
  const approval = draft.approve('rita', seen(made));
  const index = draft.publish();
  made.heads();
  return { audited, approval, index };
}

/** As many entries as there are, and others. */
function forked({ entries }: MadeRegistry) {
  const fork = new MadeRegistry();
  fork.entries.push(...entries.slice(0, -1), entries[0]!);
  const { size, root } = fork.head;
  return { size, root: formatDigest(root) };
}

describe('a release that was approved by somebody who saw', () => {
  test('this log is good, at whatever size', async () => {
    for (let size = 0; size <= 2; size++) {
      const { audited } = released(({ entries }) => {
        const then = new MadeRegistry();
        then.entries.push(...entries.slice(0, size));
        return { context: { checkpoint: { size, root: formatDigest(then.head.root) } } };
      });
      expect(await audited.audit()).toMatchObject({ ok: true });
    }
  });

  test('a fork of it is a violation of its own kind, with what shows the split view', async () => {
    let checkpoint = { size: 0, root: '' };
    let expected = '';
    const { audited, approval, index } = released((made) => {
      const other = forked(made);
      checkpoint = other;
      expected = formatDigest(made.head.root);
      return { context: { checkpoint: other } };
    });
    const { violations } = await audited.audit();
    const evidence = { decision: approval.digest, signer: 'rita', checkpoint, expected };
    expect(violations).toMatchObject([{ index, code: 'fork', evidence }]);
  });

  test('a fork of it before the state that an audit goes on from is found by the log’s tiles', async () => {
    for (const honest of [true, false]) {
      const audited = new Audited();
      const { made } = audited;
      const space = new GatedNamespace(made, 'acme', APPROVED);
      const draft = space.draft('kimi@v1', 'weights');
      draft.seal();
      draft.approve('rita', honest ? {} : { context: { checkpoint: forked(made) } });
      made.heads();
      const { state } = await audited.audit();
      const index = draft.publish();
      made.heads();
      const { violations } = await audited.audit({ state });
      expect(violations).toMatchObject(honest ? [] : [{ index, code: 'fork' }]);
    }
  });
});
