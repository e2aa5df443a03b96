/**
 * Trust policies (C2SP tlog-policy): which logs, which witnesses, and which of these are
 * enough together.
 *
 *     # comments and blank lines are skipped
 *     log example.com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k https://example.com/log
 *
 *     witness X1 x1.example+…+BG… https://x1.example/
 *     witness X2 x2.example+…+BH…
 *     witness Y  y.example+…+BI…
 *     group X 1 X1 X2            at least 1 of them; also `any` and `all`
 *     group both all X Y
 *     quorum both                or `none`
 *
 * A line names only what stands above it, and a name is a member of one group at most, so
 * that a witness counts in one way only. Items are apart by spaces and tabs. Every line ends
 * in a newline: a file that was cut off could otherwise end in half a name that means another.
 */
import { equal, parseUtf8, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { type Cosignature, cosignatureVerifier, openCosignatures } from '../note/cosignature.ts';
import {
  formatVerifierKey,
  parseVerifierKey,
  SIGNATURE_TYPE,
  type VerifierKey,
} from '../note/key.ts';
import { parseDecimal, recode } from '../note/line.ts';
import type { UnverifiedNote } from '../note/note.ts';
import { refusal, type Verdict } from '../verdict.ts';

/** Bounds what is read. */
export const MAX_POLICY_BYTES = 512 * 1024;
/** Logs, witnesses and groups: so many of each. The specification asks for at least 32. */
export const MAX_POLICY_ITEMS = 64;

/** The quorum that no witness is needed for. */
const NONE = 'none';

/** A log that may be trusted. */
export interface PolicyLog {
  readonly key: VerifierKey;
  readonly url?: string;
}

/** A witness, by the name that this policy gives it. */
export interface PolicyWitness {
  readonly name: string;
  readonly key: VerifierKey;
  /** Its submission prefix, by convention. */
  readonly url?: string;
}

/** At least `threshold` of the members, each a witness or another group. */
export interface PolicyGroup {
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly string[];
}

/** A policy. Made by `parseTlogPolicy`. */
export interface TlogPolicy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** A group stands behind its members. */
  readonly groups: readonly PolicyGroup[];
  /** The name of a witness or a group; undefined when no witness is needed. */
  readonly quorum: string | undefined;
}

/** Parses a policy file. Throws `bad-policy`, naming the line, `bad-key` or `too-large`. */
export function parseTlogPolicy(host: Host, bytes: Uint8Array): TlogPolicy {
  if (bytes.length > MAX_POLICY_BYTES) {
    throw new CodedError('too-large', `a policy may have ${MAX_POLICY_BYTES} bytes`);
  }
  const text = recode('bad-policy', 'the policy', () => parseUtf8(bytes));
  if (!text.endsWith('\n')) {
    throw new CodedError('bad-policy', 'the last line of the policy does not end in a newline');
  }
  const reader = new PolicyReader(host);
  text
    .slice(0, -1)
    .split('\n')
    .forEach((line, i) => {
      reader.readLine(line, i + 1);
    });
  return reader.policy();
}

/** The text of a policy. Throws `bad-policy` for what `parseTlogPolicy` would not read so. */
export function formatTlogPolicy(host: Host, policy: TlogPolicy): Uint8Array {
  const lines = [
    ...policy.logs.map((log) => ['log', formatVerifierKey(log.key), log.url]),
    ...policy.witnesses.map(({ name, key, url }) => ['witness', name, formatVerifierKey(key), url]),
    ...policy.groups.map(({ name, threshold, members }) => ['group', name, threshold, ...members]),
    ['quorum', policy.quorum ?? NONE],
  ];
  const text = lines.map((items) => items.filter((item) => item !== undefined).join(' '));
  const bytes = utf8(`${text.join('\n')}\n`);
  requireSame(policy, parseTlogPolicy(host, bytes));
  return bytes;
}

/** Is the quorum met when the witnesses with these names (of the policy) have cosigned? */
export function meetsQuorum(policy: TlogPolicy, cosigned: ReadonlySet<string>): boolean {
  if (policy.quorum === undefined) return true;
  const witnesses = policy.witnesses.map(({ name }) => name);
  const witnessed = new Set(witnesses.filter((name) => cosigned.has(name)));
  for (const group of policy.groups) {
    const members = group.members.filter((member) => witnessed.has(member));
    if (members.length >= group.threshold) witnessed.add(group.name);
  }
  return witnessed.has(policy.quorum);
}

/**
 * Have enough witnesses cosigned the checkpoint in `note`? Refuses with `signature-invalid`
 * when one of the policy's witnesses has signed badly, with `untrusted` when there are too
 * few. Says nothing of the log's own signature: `openCheckpoint` does.
 */
export function checkQuorum(
  policy: TlogPolicy,
  note: UnverifiedNote,
): Verdict<{ cosignatures: readonly Cosignature[] }> {
  const witnesses = policy.witnesses.filter(({ key }) => canVerify(key));
  const opened = openCosignatures(
    note,
    witnesses.map(({ key }) => cosignatureVerifier(key)),
  );
  if (!opened.ok) return opened;
  const cosigned = witnesses
    .filter(({ key }) => opened.cosignatures.some((by) => by.name === key.name && by.id === key.id))
    .map(({ name }) => name);
  if (meetsQuorum(policy, new Set(cosigned))) return opened;
  return refusal(
    'untrusted',
    `the checkpoint is not cosigned by the quorum "${policy.quorum}" of witnesses`,
    { quorum: policy.quorum, cosigned, note: note.text },
  );
}

/** Reads the lines of a policy one after the other: each sees only what stands above it. */
class PolicyReader {
  private readonly host: Host;
  private readonly logs: PolicyLog[] = [];
  private readonly witnesses: PolicyWitness[] = [];
  private readonly groups: PolicyGroup[] = [];
  private readonly names = new Set<string>();
  private readonly members = new Set<string>();
  private quorum: string | undefined;

  constructor(host: Host) {
    this.host = host;
  }

  readLine(line: string, number: number): void {
    if (/[\x00-\x08\x0b-\x1f\x7f]/.test(line)) throw atLine(number, 'a control character');
    const items = line.split(/[ \t]+/).filter((item) => item !== '');
    const [keyword, ...rest] = items;
    if (keyword === undefined || keyword.startsWith('#')) return;
    switch (keyword) {
      case 'log':
        this.readLog(rest, number);
        break;
      case 'witness':
        this.readWitness(rest, number);
        break;
      case 'group':
        this.readGroup(rest, number);
        break;
      case 'quorum':
        this.readQuorum(rest, number);
        break;
      default:
        throw atLine(number, 'neither log, witness, group nor quorum');
    }
  }

  policy(): TlogPolicy {
    if (this.quorum === undefined) throw new CodedError('bad-policy', 'the policy has no quorum');
    const { logs, witnesses, groups, quorum } = this;
    return { logs, witnesses, groups, quorum: quorum === NONE ? undefined : quorum };
  }

  private readLog(items: readonly string[], number: number): void {
    const [vkey, url, ...rest] = items;
    if (vkey === undefined || rest.length > 0) throw atLine(number, 'not "log <vkey> [<url>]"');
    const key = parseVerifierKey(this.host, vkey);
    if (key.type === SIGNATURE_TYPE.cosignature) throw atLine(number, 'a witness’s key for a log');
    requireNew(key, this.logs, number);
    this.logs.push({ key, ...(url === undefined ? {} : { url }) });
    requireRoom(this.logs, number);
  }

  private readWitness(items: readonly string[], number: number): void {
    const [name, vkey, url, ...rest] = items;
    if (name === undefined || vkey === undefined || rest.length > 0) {
      throw atLine(number, 'not "witness <name> <vkey> [<url>]"');
    }
    const key = parseVerifierKey(this.host, vkey);
    const { cosignature, cosignatureMlDsa44 } = SIGNATURE_TYPE;
    if (key.type !== cosignature && key.type !== cosignatureMlDsa44) {
      throw atLine(number, 'a key for a witness that cannot cosign');
    }
    requireNew(key, this.witnesses, number);
    this.define(name, number);
    this.witnesses.push({ name, key, ...(url === undefined ? {} : { url }) });
    requireRoom(this.witnesses, number);
  }

  private readGroup(items: readonly string[], number: number): void {
    const [name, rule, ...members] = items;
    if (name === undefined || rule === undefined || members.length === 0) {
      throw atLine(number, 'not "group <name> all|any|<k> <member>…"');
    }
    const threshold = parseThreshold(rule, members.length, number);
    for (const member of members) this.join(member, number);
    this.define(name, number);
    this.groups.push({ name, threshold, members });
    requireRoom(this.groups, number);
  }

  private readQuorum(items: readonly string[], number: number): void {
    const [name, ...rest] = items;
    if (name === undefined || rest.length > 0) throw atLine(number, 'not "quorum <name>|none"');
    if (this.quorum !== undefined) throw atLine(number, 'a second quorum');
    if (name !== NONE && !this.names.has(name)) throw atLine(number, 'a name not defined above');
    this.quorum = name;
  }

  private define(name: string, number: number): void {
    if (name === NONE || this.names.has(name)) throw atLine(number, 'a name that is taken');
    this.names.add(name);
  }

  private join(member: string, number: number): void {
    if (!this.names.has(member)) throw atLine(number, 'a member not defined above');
    if (this.members.has(member)) throw atLine(number, 'a member for the second time');
    this.members.add(member);
  }
}

function parseThreshold(rule: string, members: number, number: number): number {
  if (rule === 'any') return 1;
  if (rule === 'all') return members;
  const threshold = parseDecimal(rule, 'bad-policy', `the threshold on line ${number}`);
  if (threshold < 1 || threshold > members) {
    throw atLine(number, `a threshold that is not from 1 to ${members}`);
  }
  return threshold;
}

/** Two names for one key would let one signer count twice. */
function requireNew(
  key: VerifierKey,
  known: readonly { readonly key: VerifierKey }[],
  number: number,
): void {
  if (known.some((other) => equal(other.key.publicKey, key.publicKey))) {
    throw atLine(number, 'a key for the second time');
  }
}

function requireRoom(items: readonly unknown[], number: number): void {
  if (items.length > MAX_POLICY_ITEMS) {
    throw atLine(number, `more than ${MAX_POLICY_ITEMS} of a kind`);
  }
}

function requireSame(policy: TlogPolicy, read: TlogPolicy): void {
  const shape = (it: TlogPolicy) =>
    JSON.stringify([
      it.logs.map(({ key, url }) => [formatVerifierKey(key), url]),
      it.witnesses.map(({ name, key, url }) => [name, formatVerifierKey(key), url]),
      it.groups.map(({ name, threshold, members }) => [name, threshold, members]),
      it.quorum,
    ]);
  if (shape(policy) !== shape(read)) {
    throw new CodedError('bad-policy', 'the policy has a name or URL that no line can hold');
  }
}

/** ML-DSA-44 cosignatures are not checked yet: such a witness never counts as having signed. */
function canVerify(key: VerifierKey): boolean {
  return key.type === SIGNATURE_TYPE.cosignature;
}

function atLine(number: number, found: string): CodedError {
  return new CodedError('bad-policy', `line ${number} of the policy has ${found}`);
}
