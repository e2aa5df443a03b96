/** Decisions about drafts: committed blindly, then opened; and the reports that they name. */
import { parseDigest } from '../../core/digest.ts';
import { formatCanonical } from '../../core/json.ts';
import type { Registry } from '../../registry/registry.ts';
import { bytesOf } from '../body.ts';
import { sendReport } from '../send-report.ts';
import { DRAFT, releaseOf } from './drafts.ts';
import { callerOf, type Endpoint, endpoint, param } from './endpoint.ts';
import * as shapes from './gate-shapes.ts';

export function decisionEndpoints(registry: Registry): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/commitments',
      id: 'commit',
      load: 'log',
      rate: 'log',
      summary: 'Log a commitment to a decision, which tells nobody what it is about',
      token: 'required',
      body: shapes.commitment,
      answer: shapes.logged,
      status: 201,
      run: (call) => registry.commit(callerOf(call), call.body),
    }),
    endpoint({
      method: 'post',
      path: `${DRAFT}/decisions`,
      id: 'decide',
      summary: 'Open a commitment: what was decided about a sealed draft',
      token: 'required',
      body: shapes.disclosure,
      answer: shapes.recordedDecision,
      status: 201,
      run(call) {
        const { index, salt, envelope } = call.body;
        const disclosure = { index, salt, envelope: formatCanonical(envelope) };
        return registry.decide(callerOf(call), releaseOf(call), disclosure);
      },
    }),
    endpoint({
      method: 'get',
      path: `${DRAFT}/decisions`,
      id: 'draftDecisions',
      summary: 'What was decided about a sealed draft, with all that opens the commitments',
      token: 'required',
      answer: shapes.draftDecisions,
      run: async (call) =>
        shapes.showDecisions(await registry.decisions(callerOf(call), releaseOf(call))),
    }),
    endpoint({
      method: 'put',
      path: `${DRAFT}/reports`,
      id: 'putReport',
      summary: 'Store the report of an evaluation, before the evaluation names it',
      token: 'required',
      consumes: 'application/octet-stream',
      answer: shapes.storedReport,
      status: 201,
      run: (call) => registry.putReport(callerOf(call), releaseOf(call), bytesOf(call.request)),
    }),
    endpoint({
      method: 'get',
      path: `${DRAFT}/reports/{digest}`,
      id: 'draftReport',
      summary: 'A report that an evaluation of a sealed draft names and does not keep private',
      token: 'required',
      produces: 'application/octet-stream',
      async run(call) {
        const digest = parseDigest(param(call, 'digest'), 'the report’s digest');
        const report = await registry.draftReport(callerOf(call), releaseOf(call), digest);
        sendReport(call.response, report);
      },
    }),
  ];
}
