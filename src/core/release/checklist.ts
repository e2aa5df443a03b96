/**
 * The gate of a draft as a checklist: everything that the policy asks for, met or missing, by
 * whom and when, and what would satisfy it. Whether something is met, the registry's gate says;
 * who did it is read from what was signed. A terminal and a page show the same one.
 */
import { formatCount, formatSeconds } from '../amounts.ts';
import type { Decision } from '../statement/decision.ts';
import type { Policy } from './policy.ts';
import { isGated } from './requirements.ts';

/** What the gate lacks (`missing.ts`); a newer registry may lack what has another name. */
export interface Lack {
  readonly need: string;
  readonly about?: string | undefined;
  readonly message: string;
  readonly waitsFor: readonly string[];
  readonly satisfiedBy: string;
}

/** A decision, as a draft's status shows it. */
interface Shown {
  readonly index: number;
  readonly time: string;
  readonly digest: string;
  readonly revision: number;
  readonly person: string;
  readonly decision: string;
  readonly detail: string;
}

/** A draft's status, as far as a checklist is made of it. */
interface Judged {
  readonly state: string;
  readonly revision: number;
  readonly missing: readonly Lack[];
  readonly decisions: readonly Shown[];
  readonly passedOver: readonly {
    readonly index: number;
    readonly reason: string;
    readonly about: string;
  }[];
}

/** Somebody's decision that has to do with a row. */
export interface Voice {
  readonly person: string;
  /** What they say, in a few words. */
  readonly says: string;
  /** Of the commitment. */
  readonly index: number;
  readonly time: string;
  /** Digest of the envelope: what a lift names. */
  readonly decision: string;
}

export interface Row {
  readonly met: boolean;
  readonly what: string;
  readonly by: readonly Voice[];
  /** What was said and does not count for it. */
  readonly aside: readonly (Voice & { readonly reason: string })[];
  /** What is lacking, where something is. */
  readonly lacks: readonly Lack[];
}

export interface Checklist {
  readonly rows: readonly Row[];
  /** Decisions on earlier revisions: a new one voids what permitted. */
  readonly earlier: readonly Voice[];
}

/** Makes the checklist. `statements` are the decisions by the digest of their envelopes. */
export function makeChecklist(
  status: Judged,
  policy: Policy,
  statements: ReadonlyMap<string, Decision>,
): Checklist {
  const sheet = new Sheet(status, statements);
  // Before it is sealed nothing is about these bytes, and the gate was not asked.
  const isAsked = status.state === 'sealed' && isGated(policy.gate);
  const rows = isAsked ? [...demands(sheet, policy), ...stops(sheet)] : [];
  return { rows: [...rows, ...sheet.rest()], earlier: sheet.earlier.map(voiceOf) };
}

function demands(sheet: Sheet, { gate, roles }: Policy): Row[] {
  const { sealed, notBefore, evaluations = [], approvals = [] } = gate;
  const rows = [sheet.row('sealed, and the seal logged', 'seal', sheet.said('seal'))];
  if (sealed !== undefined) rows.push(sheet.row(`sealed for ${formatSeconds(sealed)}`, 'age'));
  if (notBefore !== undefined) rows.push(sheet.row(`not before ${notBefore}`, 'not-before'));
  for (const { suite, accept } of evaluations) {
    const theirs = sheet.said('evaluate', (it) => it.decision === 'evaluate' && it.suite === suite);
    const what = `suite ${suite}: ${accept.join(' or ')}`;
    rows.push(sheet.row(what, 'evaluation', theirs, suite));
  }
  for (const { role, count } of approvals) {
    const theirs = sheet.said('approve').filter(({ person }) => roles[role]?.includes(person));
    const what = `${formatCount(count, 'approval')} by the role ${role}`;
    rows.push(sheet.row(what, 'approval', theirs, role));
  }
  return rows;
}

function stops(sheet: Sheet): Row[] {
  const lifts = sheet.said('lift');
  const intent = sheet.row('a release manager signs the publish', 'intent');
  return [
    sheet.row('no objection', 'objection', [...sheet.said('object'), ...lifts]),
    sheet.row('no hold', 'hold', [...sheet.said('hold'), ...lifts]),
    sheet.row('not postponed', 'postponed', sheet.said('postpone')),
    sheet.row('every commitment opened', 'unopened'),
    intent,
  ];
}

/** Deals out what was said and what is lacking to the rows that they belong to. */
class Sheet {
  /** On revisions before this one. */
  readonly earlier: readonly Shown[];
  readonly #present: readonly Shown[];
  readonly #statements: ReadonlyMap<string, Decision>;
  readonly #lacks: Set<Lack>;
  readonly #passedOver: Judged['passedOver'];

  constructor(
    { decisions, revision, missing, passedOver }: Judged,
    statements: ReadonlyMap<string, Decision>,
  ) {
    this.#present = decisions.filter((it) => it.revision === revision);
    this.earlier = decisions.filter((it) => it.revision !== revision);
    this.#statements = statements;
    this.#lacks = new Set(missing);
    this.#passedOver = passedOver;
  }

  /** Who has said that. */
  said(kind: string, fits: (said: Decision) => boolean = () => true): Voice[] {
    const isIt = ({ decision, digest }: Shown) => {
      const said = this.#statements.get(digest);
      return decision === kind && (said === undefined || fits(said));
    };
    return this.#present.filter(isIt).map(voiceOf);
  }

  /** A row, with what the gate lacks of it, and passes over. */
  row(what: string, need: string, said: readonly Voice[] = [], about?: string): Row {
    const isOfIt = (lack: Lack) =>
      lack.need === need && (about === undefined || lack.about === about);
    const lacks = [...this.#lacks].filter(isOfIt);
    for (const lack of lacks) this.#lacks.delete(lack);
    const reasons = new Map(
      this.#passedOver
        .filter((each) => each.about === about)
        .map(({ index, reason }) => [index, reason]),
    );
    const by = said.filter(({ index }) => !reasons.has(index));
    const aside = said.flatMap((voice) => {
      const reason = reasons.get(voice.index);
      return reason === undefined ? [] : [{ ...voice, reason }];
    });
    return { met: lacks.length === 0, what, by, aside, lacks };
  }

  /** What belongs to no row: what a newer registry asks for, and a gate of no policy. */
  rest(): Row[] {
    return [...this.#lacks].map((lack) => ({
      met: false,
      what: lack.need,
      by: [],
      aside: [],
      lacks: [lack],
    }));
  }
}

function voiceOf({ person, decision, detail, index, time, digest }: Shown): Voice {
  const says = detail === '' ? decision : `${decision}: ${detail}`;
  return { person, says, index, time, decision: digest };
}

/** Why somebody’s word does not count, in the gate’s reasons (`passed-over.ts`). */
const WHY_NOT: Readonly<Record<string, string>> = {
  'another-draft': 'it is about another draft',
  expired: 'it has expired',
  'key-revoked': 'its key is revoked',
  'key-expired': 'its key has expired',
  'key-removed': 'its key is no longer in the policy',
  'no-role': 'its signer has not the role',
  pushed: 'its signer pushed this',
  counted: 'its signer counts once',
  'not-accepted': 'it does not say what the policy asks for',
  'too-old': 'it is too old',
};

/** One clause; a newer registry's own word where we have none. */
export function whyNotCounted(reason: string): string {
  return WHY_NOT[reason] ?? reason;
}
