/** Changes of policies, announcements, and commitments that the owners void. */
import { parseBase64 } from '../../core/bytes.ts';
import { formatCanonical } from '../../core/json.ts';
import { parseNamespace } from '../../core/release/name.ts';
import type { Registry } from '../../registry/registry.ts';
import { type CatchUp, callerOf, type Endpoint, endpoint, indexOf, param } from './endpoint.ts';
import * as shapes from './gate-shapes.ts';
import { MAX_POLICY_BYTES } from './namespaces.ts';

export function policyEndpoints(registry: Registry, catchUp: CatchUp): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/namespaces/{namespace}/policy',
      id: 'setPolicy',
      load: 'log',
      rate: 'log',
      summary: 'Log the next version of a policy, signed by owners of the one in force',
      token: 'required',
      body: shapes.policyChange,
      maxBodyBytes: MAX_POLICY_BYTES,
      answer: shapes.policyLogged,
      status: 201,
      async run(call) {
        const logged = await registry.setPolicy(callerOf(call), {
          namespace: parseNamespace(param(call, 'namespace')),
          policy: parseBase64(call.body.policy),
          signed: call.body.signed.map(formatCanonical),
        });
        await catchUp();
        return logged;
      },
    }),
    endpoint({
      method: 'get',
      path: '/namespaces/{namespace}/policies',
      id: 'policies',
      summary: 'Every version of a policy that the log has, oldest first',
      token: 'none',
      answer: shapes.policyList,
      run: async (call) => ({
        policies: await registry.policies(parseNamespace(param(call, 'namespace'))),
      }),
    }),
    endpoint({
      method: 'post',
      path: '/announcements',
      id: 'announce',
      load: 'log',
      rate: 'log',
      summary: 'Log a signed announcement of a release that is not there yet',
      token: 'required',
      body: shapes.announcement,
      answer: shapes.logged,
      status: 201,
      async run(call) {
        const logged = await registry.announce(callerOf(call), formatCanonical(call.body.envelope));
        await catchUp();
        return logged;
      },
    }),
    endpoint({
      method: 'get',
      path: '/announcements/{index}',
      id: 'announcement',
      summary: 'The signed envelope of the announcement logged at an index',
      token: 'none',
      answer: shapes.announcement,
      async run(call) {
        const envelope = await registry.announcement(indexOf(param(call, 'index')));
        return { envelope: shapes.showEnvelope(envelope) };
      },
    }),
    endpoint({
      method: 'post',
      path: '/voids',
      id: 'voidCommitment',
      load: 'log',
      rate: 'log',
      summary: 'Log that a commitment which nobody opened no longer blocks its release',
      token: 'required',
      body: shapes.voidRequest,
      maxBodyBytes: MAX_POLICY_BYTES,
      answer: shapes.logged,
      status: 201,
      run(call) {
        const { namespace, label, signed } = call.body;
        return registry.voidLabel(callerOf(call), {
          namespace: parseNamespace(namespace),
          label,
          signed: signed.map(formatCanonical),
        });
      },
    }),
    endpoint({
      method: 'get',
      path: '/voids/{index}',
      id: 'void',
      summary: 'The signed envelopes of the void logged at an index',
      token: 'none',
      answer: shapes.voidAnswer,
      run: async (call) => ({
        signed: (await registry.voided(indexOf(param(call, 'index')))).map(shapes.showEnvelope),
      }),
    }),
  ];
}
