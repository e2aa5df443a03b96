/** The drafts of a namespace, for whoever is signed in there: what they wait for, and the reports to read. */
import { type Request, type Response, Router } from 'express';
import * as v from 'valibot';
import { parseDigest } from '../../core/digest.ts';
import {
  formatModel,
  parseModel,
  parseNamespace,
  parseReleaseName,
} from '../../core/release/name.ts';
import { parsePolicy } from '../../core/release/policy.ts';
import { parseShape } from '../../core/shape.ts';
import { type Decision, parseDecision } from '../../core/statement/decision.ts';
import { parseEnvelope } from '../../core/statement/dsse.ts';
import type { Session } from '../../keyring/session.ts';
import type { DraftStatus, Registry } from '../../registry/registry.ts';
import { readForm } from '../body.ts';
import { named } from '../request-log.ts';
import { sendReport } from '../send-report.ts';
import { callerOf, requireOwnPage } from '../sessions.ts';
import { DRAFTS_PAGE, draftPage } from './addresses.ts';
import type { Page, Site } from './layout.ts';
import { textOf } from './query.ts';
import { draftView } from './views/draft.ts';
import { draftsView } from './views/drafts.ts';

const DRAFT = `${DRAFTS_PAGE}/:namespace/:name/:version`;
/** Bytes of a form with one word in it. */
const MAX_FORM_BYTES = 256;

const withdrawForm = v.strictObject({ sure: v.literal('yes') });

export interface DraftParts {
  readonly registry: Registry;
  readonly site: Site;
  readonly clock: () => number;
  readonly show: (response: Response, page: Page) => void;
  /** Who is signed in; everybody else is told how to, and then there is nothing more to do. */
  readonly signedIn: (request: Request, response: Response) => Promise<Session | undefined>;
}

export function draftRouter({ registry, site, clock, show, signedIn }: DraftParts): Router {
  const router = Router({ caseSensitive: true });

  const page = (path: string, make: (request: Request, session: Session) => Promise<Page>) => {
    router.get(path, namedBy(path), async (request, response) => {
      const session = await signedIn(request, response);
      if (session === undefined) return;
      show(response, { ...(await make(request, session)), person: session.subject });
    });
  };

  page(DRAFTS_PAGE, async ({ query }, session) => {
    const asked = textOf(query.namespace);
    const namespace = asked === '' ? session.namespace : parseNamespace(asked);
    if (namespace === undefined) return draftsView({ namespace, drafts: [] });
    return draftsView({ namespace, drafts: await registry.drafts(callerOf(session), namespace) });
  });

  page(DRAFT, async (request, session) => {
    const release = releaseOf(request);
    const status = await registry.draftStatus(callerOf(session), release);
    const { policy } = await registry.policy(release.namespace, status.policyIndex);
    return draftView({
      status,
      policy: parsePolicy(policy),
      statements: await statementsOf(registry, session, status),
      reader: session.subject,
      roles: session.roles,
      origin: site.origin,
      now: clock(),
    });
  });

  const report = `${DRAFT}/reports/:digest`;
  router.get(report, namedBy(report), async (request, response) => {
    const session = await signedIn(request, response);
    if (session === undefined) return;
    const digest = parseDigest(String(request.params.digest), 'the report’s digest');
    sendReport(response, await registry.draftReport(callerOf(session), releaseOf(request), digest));
  });

  const withdraw = `${DRAFT}/withdraw`;
  router.post(withdraw, namedBy(withdraw), async (request, response) => {
    requireOwnPage(request, site.url);
    const session = await signedIn(request, response);
    if (session === undefined) return;
    parseShape(withdrawForm, await readForm(request, MAX_FORM_BYTES), 'the form', 'usage');
    const release = releaseOf(request);
    await registry.withdraw(callerOf(session), release);
    response.set('Cache-Control', 'no-store').redirect(303, draftPage(release));
  });

  return router;
}

/** What was signed about a sealed draft, by the digest of the envelope. */
async function statementsOf(
  registry: Registry,
  session: Session,
  { release, state, decisions }: DraftStatus,
): Promise<ReadonlyMap<string, Decision>> {
  if (state !== 'sealed' || decisions.length === 0) return new Map();
  const found = await registry.decisions(callerOf(session), release);
  return new Map(
    found.decisions.map(({ digest, envelope }) => [
      digest,
      parseDecision(parseEnvelope(envelope).payload),
    ]),
  );
}

function releaseOf({ params }: Request) {
  const model = parseModel(`${params.namespace}/${params.name}`);
  return parseReleaseName(`${formatModel(model)}@${params.version}`);
}

function namedBy(path: string) {
  return named(path.replaceAll(/:(\w+)/g, '{$1}'));
}
