/** A namespace is its owners': as many as the policy in force says change it, and no token does. */
import { expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { POLICY_PAYLOAD_TYPE } from '../../src/core/release/policy.ts';
import { parseEnvelope } from '../../src/core/statement/dsse.ts';
import { Audited } from '../made/audited.ts';
import { GatedNamespace } from '../made/gated.ts';
import { useGated } from '../made/gated-served.ts';
import { ACME } from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';
import { refused } from '../made/refused.ts';
import { ONE_APPROVAL } from '../made/team.ts';

const gated = useGated(undefined, { owners: 2 });
const TOO_FEW = 'the policy is signed by 1 owners; the one in force asks for 2';

test('a change by fewer owners than must is refused, and so is one by one of them twice', async () => {
  const solo = gated().policy(2, {}, { owners: 1 });
  await refused(gated().setPolicy(solo, 'olga'), 'signature-invalid', TOO_FEW);
  await refused(gated().setPolicy(solo, 'olga', 'olga'), 'signature-invalid', TOO_FEW);
  await gated().setPolicy(solo, 'olga', 'otto');
});

test('a token of every role, stolen or not, changes nothing by itself', async () => {
  const solo = gated().policy(2, {}, { owners: 1 });
  await refused(
    gated().setPolicy(solo),
    'bad-document',
    'the request body, field signed: must hold the signature of an owner at least',
  );
  const { policy } = gated().team.signPolicy(solo);
  const { token } = await gated().served.token({ roles: ['owner', 'operator'] });
  const thief = parseEnvelope(gated().team.sign('olga', POLICY_PAYLOAD_TYPE, policy, makeKey()));
  const api = new Api({ url: parseRegistryUrl(gated().served.url), token });
  await refused(
    api.setPolicy(ACME, { policy, signed: [thief] }),
    'signature-invalid',
    'signed.0 is not signed by an owner of the policy in force',
  );
});

test('others than owners do not count, nor do owners whom the new policy makes', async () => {
  const policy = gated().policy(2);
  const roles = { ...policy.roles, owner: ['rita', 'rob'] };
  await refused(
    gated().setPolicy({ ...policy, roles }, 'rita', 'rob'),
    'signature-invalid',
    'signed.0 is not signed by an owner of the policy in force',
  );
});

test('signatures under another policy do not count', async () => {
  const { policy } = gated().team.signPolicy(gated().policy(2, {}));
  const other = gated().team.signPolicy(gated().policy(2)).policy;
  const owners = ['olga', 'otto'] as const;
  const signed = owners.map((who) =>
    parseEnvelope(gated().team.sign(who, POLICY_PAYLOAD_TYPE, other)),
  );
  const set = (await gated().api('olga')).setPolicy(ACME, { policy, signed });
  await refused(set, 'bad-envelope', 'signed.0 is not over this policy');
});

test('an auditor finds a change that too few signed', async () => {
  const audited = new Audited();
  const roles = { owner: ['olga', 'max'], 'release-manager': ['max'], reviewer: ['rita'] };
  const space = new GatedNamespace(audited.made, 'acme', ONE_APPROVAL, { owners: 2, roles });
  const index = space.setPolicy({ gate: {} }, ['olga']);
  audited.made.heads();
  expect((await audited.audit()).violations).toMatchObject([
    {
      index,
      code: 'signature-invalid',
      message: 'the policy is signed by 1 owners, where 2 must',
    },
  ]);
});
