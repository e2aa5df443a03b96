/** Namespaces, their policies and heads, and advisories. */
import { formatBase64, parseBase64 } from '../../core/bytes.ts';
import { parseNamespace } from '../../core/release/name.ts';
import type { Registry } from '../../registry/registry.ts';
import { type CatchUp, callerOf, type Endpoint, endpoint, indexOf, param } from './endpoint.ts';
import * as shapes from './shapes.ts';

/** Bytes of a request with a policy and the envelopes of its owners. */
export const MAX_POLICY_BYTES = 16 * 2 ** 20;

export function namespaceEndpoints(registry: Registry, catchUp: CatchUp): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/namespaces',
      id: 'createNamespace',
      load: 'log',
      rate: 'log',
      summary: 'Begin a namespace with its first policy, signed by its owners',
      token: 'required',
      body: shapes.namespaceRequest,
      maxBodyBytes: MAX_POLICY_BYTES,
      answer: shapes.namespaceCreated,
      status: 201,
      run: (call) =>
        registry.createNamespace(callerOf(call), {
          policy: parseBase64(call.body.policy),
          signed: call.body.signed.map(parseBase64),
          override: call.body.override ?? false,
        }),
    }),
    endpoint({
      method: 'get',
      path: '/namespaces/{namespace}/usage',
      id: 'usage',
      summary: 'What a namespace takes up, and what its quota is',
      token: 'required',
      answer: shapes.usage,
      async run(call) {
        const namespace = parseNamespace(param(call, 'namespace'));
        const usage = await registry.usage(callerOf(call), namespace);
        return { namespace, ...(usage !== undefined && { usage }) };
      },
    }),
    endpoint({
      method: 'get',
      path: '/namespaces/{namespace}/policy',
      id: 'policy',
      summary: 'The policy in force, or the one logged at an index',
      token: 'none',
      query: shapes.policyQuery,
      answer: shapes.policyAnswer,
      async run(call) {
        const found = await registry.policy(
          parseNamespace(param(call, 'namespace')),
          call.query.index,
        );
        return {
          index: found.index,
          policy: formatBase64(found.policy),
          signed: found.signed.map(formatBase64),
        };
      },
    }),
    endpoint({
      method: 'get',
      path: '/namespaces/{namespace}/head',
      id: 'freshness',
      summary:
        'The newest heads entry, the namespace’s head in it, and its advisories, each with its proof',
      token: 'none',
      answer: shapes.freshness,
      async run(call) {
        const found = await registry.freshness(parseNamespace(param(call, 'namespace')));
        return {
          index: found.index,
          entry: formatBase64(found.entry),
          proof: found.proof,
          head: formatBase64(found.head),
          position: found.position,
          count: found.count,
          path: found.path.map(formatBase64),
          advisories: found.advisories.map(({ index, entry, proof }) => ({
            index,
            entry: formatBase64(entry),
            proof,
          })),
        };
      },
    }),
    endpoint({
      method: 'post',
      path: '/advisories',
      id: 'advise',
      load: 'log',
      rate: 'log',
      summary: 'Log a signed advisory about a published release',
      token: 'required',
      body: shapes.advisoryRequest,
      answer: shapes.advisoryLogged,
      status: 201,
      async run(call) {
        const logged = await registry.advise(callerOf(call), parseBase64(call.body.envelope));
        await catchUp();
        return logged;
      },
    }),
    endpoint({
      method: 'get',
      path: '/advisories/{index}',
      id: 'advisory',
      summary: 'The signed envelope of the advisory logged at an index',
      token: 'none',
      answer: shapes.advisoryAnswer,
      async run(call) {
        return { envelope: formatBase64(await registry.advisory(indexOf(param(call, 'index')))) };
      },
    }),
  ];
}
