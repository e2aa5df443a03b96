/**
 * What fits into a namespace, as one pure step: the document of a quota, what one server has
 * used of its grants, and what is wanted of it → the next document, and who is refused why.
 *
 * A server sets more aside than it needs, as long as there is plenty: an eighth of what is
 * left. So a push of a thousand files costs a few compare-and-swaps, and two servers that
 * share one push do not meet at each file; the nearer the limit, the more exact the grants.
 */
import {
  type Amount,
  type DraftUse,
  heldBy,
  type Limits,
  MAX_OPEN_DRAFTS,
  minus,
  NOTHING,
  plus,
  type QuotaRecord,
  usedOf,
} from './documents/quota.ts';

/** What is set aside at most beyond the need. */
const MAX_SPARE: Amount = { files: 10_000, bytes: 2 ** 40 };
/** The part of what is left that is set aside beyond the need. */
const SPARE_SHARE = 1 / 8;

/** What one server has done with its grant for one draft since it wrote the document last. */
export interface Folded {
  /** Counts for good from now on; less than nothing where files became smaller. */
  readonly spent: Amount;
  /** Of declarations that have not ended. */
  readonly inFlight: Amount;
  /** Is any declaration under way, if only one that takes nothing? */
  readonly isBusy: boolean;
  /** Does the document have a grant of ours, as far as we know? */
  readonly isGranted: boolean;
  /** Nobody knows whether it was written. */
  readonly isUnsure: boolean;
}

export interface Want {
  /** A release name. */
  readonly draft: string;
  readonly amount: Amount;
  /** A file of the draft, the draft's beginning, or a look whether `plan` fits. */
  readonly for: 'file' | 'begin' | 'look';
  /** All that its pusher means to declare: refused now rather than in the middle. */
  readonly plan?: Amount | undefined;
}

export interface Refusal {
  readonly what: 'bytes' | 'files' | 'drafts';
  readonly used: number;
  readonly asked: number;
  readonly limit: number;
  /** Of `used`, what other servers have set aside and may give back. */
  readonly setAside: number;
}

export interface Judged {
  readonly record: QuotaRecord;
  /** In the order of the wants; undefined for those that fit. */
  readonly refusals: readonly (Refusal | undefined)[];
  readonly isChanged: boolean;
}

/** Who asks, when (milliseconds), and what is in force. */
export interface Asking {
  readonly server: string;
  readonly now: number;
  readonly limits: Limits;
}

export function judge(
  before: QuotaRecord,
  asking: Asking,
  folded: ReadonlyMap<string, Folded>,
  wants: readonly Want[],
): Judged {
  const drafts = { ...before.drafts };
  for (const [name, share] of folded) {
    const use = drafts[name];
    if (use !== undefined) drafts[name] = fold(use, asking, share);
  }
  const record = { ...before, drafts };
  const refusals = wants.map((want) => {
    const refusal = refusalOf(record, asking, want);
    if (refusal === undefined) grant(drafts, asking, want);
    return refusal;
  });
  const granted = wants.filter((want, i) => want.for === 'file' && refusals[i] === undefined);
  spare(record, asking, new Set(granted.map(({ draft }) => draft)));
  const isOpened = Object.keys(drafts).length > Object.keys(before.drafts).length;
  return { record, refusals, isChanged: folded.size > 0 || granted.length > 0 || isOpened };
}

/** Counts what was spent, and gives back what is left of the grant. */
function fold(use: DraftUse, { server, now }: Asking, share: Folded): DraftUse {
  const { [server]: mine, ...others } = use.grants;
  // Somebody has counted the draft anew meanwhile: what was spent may be in it already.
  const isLost = share.isGranted && mine === undefined;
  const drift = use.drift === true || share.isUnsure || isLost;
  const counted = isLost ? use : atLeastNothing(plus(use, share.spent));
  const keeps = share.isBusy || !isNothing(share.inFlight);
  return {
    files: counted.files,
    bytes: counted.bytes,
    ...(drift && { drift: true as const }),
    grants: keeps ? { ...others, [server]: { ...share.inFlight, at: now } } : others,
  };
}

function refusalOf(record: QuotaRecord, asking: Asking, want: Want): Refusal | undefined {
  const { limits } = asking;
  const { draft, amount, plan } = want;
  const there = record.drafts[draft];
  const open = Object.keys(record.drafts).length;
  const most = Math.min(limits.drafts ?? MAX_OPEN_DRAFTS, MAX_OPEN_DRAFTS);
  if (want.for === 'begin' && there === undefined && open >= most) {
    return { what: 'drafts', used: open, asked: 1, limit: most, setAside: 0 };
  }
  const used = usedOf(record);
  const others = minus(used, there === undefined ? NOTHING : heldBy(there));
  for (const what of ['bytes', 'files'] as const) {
    const limit = limits[what];
    if (limit === undefined) continue;
    const setAside = setAsideIn(record, asking.server, what);
    if (amount[what] > 0 && used[what] + amount[what] > limit) {
      return { what, used: used[what], asked: amount[what], limit, setAside };
    }
    if (plan !== undefined && plan[what] > 0 && others[what] + plan[what] > limit) {
      return { what, used: others[what], asked: plan[what], limit, setAside };
    }
  }
  return undefined;
}

function grant(drafts: Record<string, DraftUse>, { server, now }: Asking, want: Want): void {
  const { draft, amount } = want;
  if (want.for === 'look') return;
  const there = drafts[draft];
  // A draft that was begun before there was a quota, and missed by who counted.
  const isMissed = there === undefined && want.for === 'file';
  const use: DraftUse = there ?? { ...NOTHING, ...(isMissed && { drift: true }), grants: {} };
  if (want.for === 'begin') {
    drafts[draft] = use;
    return;
  }
  // A grant of nothing, too: it says that somebody changes a file of the draft.
  const mine = plus(use.grants[server] ?? NOTHING, amount);
  drafts[draft] = { ...use, grants: { ...use.grants, [server]: { ...mine, at: now } } };
}

/** Sets aside more for these drafts, of what is left. */
function spare(record: QuotaRecord, { server, limits }: Asking, names: ReadonlySet<string>): void {
  if (names.size === 0) return;
  const used = usedOf(record);
  const spareOf = (what: 'bytes' | 'files') => {
    const left = Math.max(0, (limits[what] ?? Number.POSITIVE_INFINITY) - used[what]);
    return Math.floor(Math.min(MAX_SPARE[what], (left * SPARE_SHARE) / names.size));
  };
  const more = { files: spareOf('files'), bytes: spareOf('bytes') };
  for (const name of names) {
    const use = record.drafts[name]!;
    const mine = use.grants[server]!;
    const grants = { ...use.grants, [server]: { ...plus(mine, more), at: mine.at } };
    (record.drafts as Record<string, DraftUse>)[name] = { ...use, grants };
  }
}

function setAsideIn({ drafts }: QuotaRecord, server: string, what: 'bytes' | 'files'): number {
  let sum = 0;
  for (const { grants } of Object.values(drafts)) {
    for (const [name, granted] of Object.entries(grants)) if (name !== server) sum += granted[what];
  }
  return sum;
}

function isNothing({ files, bytes }: Amount): boolean {
  return files === 0 && bytes === 0;
}

function atLeastNothing({ files, bytes }: Amount): Amount {
  return { files: Math.max(0, files), bytes: Math.max(0, bytes) };
}
