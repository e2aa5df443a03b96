import { describe, expect, test } from '@jest/globals';
import { Findings, MAX_FINDINGS } from '../../../src/core/audit/findings.ts';
import { LogFold } from '../../../src/core/audit/fold.ts';
import { formatAuditState, parseAuditState } from '../../../src/core/audit/state.ts';
import { formatHex, utf8 } from '../../../src/core/bytes.ts';
import { type Digest, formatDigest } from '../../../src/core/digest.ts';
import { CodedError } from '../../../src/core/error.ts';
import { formatEntry } from '../../../src/core/log/entry.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { flipped, readEntry } from '../../made/audited.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { MadeRegistry } from '../../made/registry.ts';

function made(): MadeRegistry {
  const registry = new MadeRegistry();
  registry.namespace('acme');
  registry.publish('acme/tiny@v1', { a: utf8('a') });
  registry.publish('acme/tiny@v2', { b: utf8('b') });
  registry.advise('acme/tiny@v1', 'recalled');
  registry.heads();
  return registry;
}

function fold({ entries }: MadeRegistry, from = 0, before?: LogFold) {
  const findings = new Findings();
  const folded = new LogFold(nodeHost, findings, before?.state);
  const due = entries
    .slice(from)
    .map((bytes, i) => folded.add(from + i, bytes, leafHash(nodeHost, bytes)));
  folded.end();
  return { folded, findings, due: due.flatMap((each) => each?.kind ?? []) };
}

describe('the fold of a log', () => {
  test('gives back what is due of each entry', () => {
    const { due, findings } = fold(made());
    expect(findings.violations).toEqual([]);
    expect(due).toEqual(['namespace', 'release', 'release', 'advisory']);
  });

  test('takes decisions, voids and announcements, which change no namespace’s head', () => {
    const registry = made();
    const statement = readEntry(registry, 1).digest as Digest;
    const label = 'ab'.repeat(32);
    const said: readonly object[] = [
      { kind: 'commitment', label, commit: label },
      { kind: 'void', namespace: 'acme', label, statement, signed: [statement] },
      {
        ...{ kind: 'announcement', release: 'acme/tiny@v3', statement },
        ...{ announcement: 'postponed', date: null },
      },
    ];
    for (const entry of said) registry.log(entry as Parameters<typeof registry.log>[0]);
    registry.heads();
    const { findings, due } = fold(registry);
    expect(findings.violations).toEqual([]);
    expect(due.slice(4)).toEqual(['void', 'announcement']);
  });

  test('finds two releases of a model whose digests begin with the same 40 digits', () => {
    const registry = made();
    const first = readEntry(registry, 1).digest as string;
    const twin = formatDigest(flipped(Buffer.from(first.slice(7), 'hex'), 31));
    registry.entries[3] = formatEntry({ ...readEntry(registry, 3), digest: twin });
    const { findings } = fold(registry);
    expect(findings.violations).toMatchObject([{ index: 3, code: 'untrusted' }]);
  });

  test('finds versions that differ in case alone', () => {
    const registry = made();
    registry.entries[3] = formatEntry({ ...readEntry(registry, 3), release: 'acme/tiny@V1' });
    expect(fold(registry).findings.violations).toContainEqual(
      expect.objectContaining({ index: 3, code: 'already-published' }),
    );
  });

  test('finds names that are not in their normal form', () => {
    const registry = made();
    registry.entries[3] = formatEntry({ ...readEntry(registry, 3), release: 'Acme/tiny@v2' });
    expect(fold(registry).findings.violations).toContainEqual(
      expect.objectContaining({ index: 3, code: 'bad-entry' }),
    );
  });

  test('goes on from a state as if it had never stopped', () => {
    const registry = made();
    for (const at of [1, 3, 6]) {
      const first = fold({ entries: registry.entries.slice(0, at) } as MadeRegistry).folded;
      const { folded, findings } = fold(registry, at, first);
      expect(folded.state).toEqual(fold(registry).folded.state);
      // What changed before it stopped is for the audit before to report.
      expect(findings.violations.filter(({ code }) => code !== 'stale')).toEqual([]);
    }
  });
});

describe('the state file', () => {
  function stateOf(registry: MadeRegistry) {
    const { folded } = fold(registry);
    return { origin: ORIGIN, checkpoint: registry.checkpoint(), fold: folded.state };
  }

  test('is read as it was written', () => {
    for (const registry of [new MadeRegistry(), made()]) {
      const state = stateOf(registry);
      const bytes = formatAuditState(state);
      expect(parseAuditState(bytes)).toEqual(state);
      expect(formatAuditState(parseAuditState(bytes))).toEqual(bytes);
    }
  });

  test('is refused when it is of another log, out of order or in upper case', () => {
    const text = new TextDecoder().decode(formatAuditState(stateOf(made())));
    for (const [from, to] of [
      [`"origin":"${ORIGIN}"`, '"origin":"models.example.net"'],
      ['acme/tiny@v1', 'acme/tiny@V1'],
      ['"namespaces":[', '"namespaces":[{},'],
      ['"v":2,', '"v":1,'],
    ] as const) {
      expect(text).toContain(from);
      expect(() => parseAuditState(utf8(text.replace(from, to)))).toThrow(CodedError);
    }
  });
});

describe('findings', () => {
  test('are kept up to a number and counted beyond it', () => {
    const findings = new Findings();
    for (let i = 0; i <= MAX_FINDINGS; i++) findings.violate(MAX_FINDINGS - i, 'bad-entry', 'x');
    expect(findings.violations).toHaveLength(MAX_FINDINGS);
    expect(findings.count).toBe(MAX_FINDINGS + 1);
    expect(findings.violations[0]!.index).toBe(1);
  });

  test('are about the registry: a network that fails is none', () => {
    const findings = new Findings();
    findings.fault(0, new CodedError('bad-json', 'x', { field: formatHex(utf8('f')) }));
    expect(findings.violations).toMatchObject([{ code: 'bad-json', evidence: { field: '66' } }]);
    expect(() => findings.fault(0, new CodedError('network', 'x'))).toThrowWithCode('network');
    expect(() => findings.fault(0, new TypeError('x'))).toThrow(TypeError);
  });
});
