import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical, type Json } from '../../../src/core/json.ts';
import {
  type Decision,
  formatDecision,
  MAX_PUSHERS,
  parseDecision,
} from '../../../src/core/statement/decision.ts';
import {
  MAX_DECISION_BYTES,
  MAX_DECISIONS_PER_SIGNER,
  MAX_REASON,
} from '../../../src/core/statement/decision-context.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { day, SEALED } from '../../made/decisions.ts';
import { CONTEXT, decided, SAID } from '../../made/statements.ts';

type Shown = {
  predicateType: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicate: Record<string, unknown> & { context: Record<string, unknown> };
};

function changed(decision: Decision, change: (it: Shown) => unknown): Uint8Array {
  const it = JSON.parse(parseUtf8(formatDecision(decision))) as Shown;
  change(it);
  return formatCanonical(it as unknown as Json);
}

describe.each(SAID.map((said) => [said.decision, decided(said)] as const))('%s', (_, decision) => {
  test('reads back what was written', () => {
    expect(parseDecision(formatDecision(decision))).toEqual(decision);
  });

  test('is refused with a member more or less, anywhere in it', () => {
    const places = ['predicate', 'context'] as const;
    const at = (it: Shown, place: (typeof places)[number]) =>
      place === 'predicate' ? it.predicate : it.predicate.context;
    const optional = decision.decision === 'approve' || decision.decision === 'publish';
    for (const place of places) {
      const more = changed(decision, (it) => Object.assign(at(it, place), { extra: 1 }));
      expect(() => parseDecision(more)).toThrowWithCode('bad-statement');
      const names = Object.keys(at(JSON.parse(parseUtf8(formatDecision(decision))), place));
      for (const name of names.filter((each) => !(optional && each === 'reason'))) {
        const less = changed(decision, (it) => delete at(it, place)[name]);
        expect(() => parseDecision(less)).toThrowWithCode('bad-statement');
      }
    }
  });

  test.each<[string, (it: Shown) => unknown]>([
    ['another release in its subject', (it) => (it.subject[0]!.name = 'acme/other@v1.0')],
    [
      'a release not in its normal form',
      (it) => {
        it.subject[0]!.name = it.predicate.context.release = 'Acme/kimi-k2@v1.0';
      },
    ],
    ['no subject', (it) => (it.subject = [])],
    ['two subjects', (it) => it.subject.push(it.subject[0]!)],
    ['another predicate type', (it) => (it.predicateType = 'https://weighhouse.dev/decision/v0.2')],
    ['revision 0', (it) => (it.predicate.context.revision = 0)],
    ['a first that names one before', (it) => (it.predicate.context.previous = SEALED)],
    ['a second that names none before', (it) => (it.predicate.context.n = 1)],
    ['an end before its beginning', (it) => (it.predicate.context.expires = day(0))],
    ['a time without milliseconds', (it) => (it.predicate.context.time = '2026-02-01T12:00:00Z')],
    ['a short nonce', (it) => (it.predicate.context.nonce = '00')],
    ['an origin that is no host', (it) => (it.predicate.context.origin = 'https://models')],
    ['another decision', (it) => (it.predicate.decision = 'recall')],
  ])('is refused with %s', (__, change) => {
    expect(() => parseDecision(changed(decision, change))).toThrow();
  });
});

describe('decisions', () => {
  test('of any words and numbers read back what was written', () => {
    const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 99 });
    const number = fc.integer({ min: 1, max: MAX_DECISIONS_PER_SIGNER - 1 });
    fc.assert(
      fc.property(words, number, fc.constantFrom(...SAID), (text, n, said) => {
        const context = { n, previous: digestOf(nodeHost, utf8(text)) };
        const reason = text.replaceAll(/[\x00-\x09\x0b-\x1f\x7f]/g, ' ');
        const spoken = said.decision === 'seal' || said.decision === 'evaluate' ? {} : { reason };
        const decision = { ...decided(said, context), ...spoken } as Decision;
        expect(parseDecision(formatDecision(decision))).toEqual(decision);
      }),
    );
  });

  test('are made a thousand times by one signer on one digest, and not once more', () => {
    const last = { n: MAX_DECISIONS_PER_SIGNER - 1, previous: SEALED };
    expect(() => formatDecision(decided(SAID[0]!, last))).not.toThrow();
    const over = decided(SAID[0]!, { ...last, n: MAX_DECISIONS_PER_SIGNER });
    expect(() => formatDecision(over)).toThrowWithCode('bad-statement');
  });

  test('are not read beyond their limit', () => {
    const reason = (length: number) => decided({ decision: 'hold', reason: 'x'.repeat(length) });
    expect(() => formatDecision(reason(MAX_REASON))).not.toThrow();
    expect(() => formatDecision(reason(MAX_REASON + 1))).toThrowWithCode('bad-statement');
    expect(() => parseDecision(new Uint8Array(MAX_DECISION_BYTES + 1))).toThrowWithCode(
      'too-large',
    );
  });

  test('a seal names who pushed, in order, each once, and not too many', () => {
    for (const pushers of [[], ['b', 'a'], ['a', 'a'], new Array(MAX_PUSHERS + 1).fill('a')]) {
      const seal = decided({ decision: 'seal', pushers });
      expect(() => formatDecision(seal)).toThrowWithCode('bad-statement');
    }
  });

  test('to postpone until something that is no time is refused', () => {
    const postponement = decided({ decision: 'postpone', until: 'soon', reason: 'Wait' });
    expect(() => formatDecision(postponement)).toThrowWithCode('bad-statement');
  });
});

describe('an evaluation', () => {
  const evaluation = decided(SAID.at(-1)!);

  test('is a test result as in-toto has it', () => {
    const { predicate, predicateType } = JSON.parse(parseUtf8(formatDecision(evaluation)));
    const sha256 = SEALED.slice(7);
    expect(predicateType).toBe('https://in-toto.io/attestation/test-result/v0.1');
    expect(predicate).toEqual({
      result: 'PASSED',
      configuration: [
        { name: 'safety', uri: 'urn:weighhouse:suite:safety', digest: { sha256 } },
        { name: 'thresholds', digest: { sha256 } },
      ],
      report: { digest: { sha256 }, size: 10, private: true },
      context: CONTEXT,
    });
  });

  test.each<[string, (it: Shown) => unknown]>([
    ['a result in lower case', (it) => (it.predicate.result = 'passed')],
    [
      'the URN of another suite',
      (it) => {
        (it.predicate.configuration as { uri: string }[])[0]!.uri = 'urn:weighhouse:suite:other';
      },
    ],
    [
      'thresholds twice',
      (it) => {
        const configuration = it.predicate.configuration as unknown[];
        configuration.push(configuration[1]);
      },
    ],
    [
      'a report that is public: false',
      (it) => ((it.predicate.report as object) = { private: false }),
    ],
    [
      'the predicate type of other decisions',
      (it) => {
        it.predicateType = 'https://weighhouse.dev/decision/v0.1';
      },
    ],
  ])('is refused with %s', (_, change) => {
    expect(() => parseDecision(changed(evaluation, change))).toThrowWithCode('bad-statement');
  });
});
