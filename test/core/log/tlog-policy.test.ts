import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import {
  checkQuorum,
  formatTlogPolicy,
  MAX_POLICY_BYTES,
  MAX_POLICY_ITEMS,
  meetsQuorum,
  parseTlogPolicy,
} from '../../../src/core/log/tlog-policy.ts';
import { cosignatureSigner } from '../../../src/core/note/cosignature.ts';
import { formatVerifierKey, signingKey } from '../../../src/core/note/key.ts';
import { noteSigner, signNote } from '../../../src/core/note/note.ts';
import { nodeHost as host } from '../../../src/hashing/host.ts';

const seed = (number: number) => new Uint8Array(32).fill(number);
const log = signingKey(host, 'log.example', seed(200));
const witness = (number: number) => signingKey(host, `w${number}.example`, seed(number), 4);
const vkey = (number: number) => formatVerifierKey(witness(number));
const logKey = formatVerifierKey(log);

/** The example of the specification, "Example policy", with keys. */
const EXAMPLE = `
# a comment
log ${logKey}\thttps://log.example/

witness X1 ${vkey(1)}
witness X2 ${vkey(2)} https://x2.example/
  witness\tX3   ${vkey(3)}
group X-witnesses 2 X1 X2 X3

witness Y1 ${vkey(4)}
witness Y2 ${vkey(5)}
witness Y3 ${vkey(6)}
group Y-witnesses any Y1 Y2 Y3
   # another comment
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

const parse = (text: string) => parseTlogPolicy(host, utf8(text));

describe('the format', () => {
  test('reads the example of the specification', () => {
    const policy = parse(EXAMPLE);
    expect(policy.logs).toMatchObject([{ url: 'https://log.example/' }]);
    expect(policy.witnesses.map(({ name }) => name)).toEqual(['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']);
    expect(policy.groups).toEqual([
      { name: 'X-witnesses', threshold: 2, members: ['X1', 'X2', 'X3'] },
      { name: 'Y-witnesses', threshold: 1, members: ['Y1', 'Y2', 'Y3'] },
      { name: 'X-and-Y', threshold: 2, members: ['X-witnesses', 'Y-witnesses'] },
    ]);
    expect(policy.quorum).toBe('X-and-Y');
  });

  test('what was read survives format and parse', () => {
    for (const text of [EXAMPLE, 'quorum none\n', `witness W ${vkey(1)}\nquorum W\n`]) {
      const policy = parse(text);
      expect(parseTlogPolicy(host, formatTlogPolicy(host, policy))).toEqual(policy);
    }
  });

  test('a policy that no line can hold is not written', () => {
    const policy = parse(EXAMPLE);
    const refused = (change: Partial<typeof policy>) =>
      expect(() => formatTlogPolicy(host, { ...policy, ...change })).toThrowWithCode('bad-policy');
    refused({ quorum: 'unknown' });
    refused({ quorum: 'none' });
    refused({ logs: [{ ...policy.logs[0]!, url: 'a b' }] });
    refused({ logs: [{ ...policy.logs[0]!, url: 'a\nquorum none' }] });
    refused({ witnesses: [] });
    refused({ groups: policy.groups.toReversed() });
  });

  const W = `witness W ${vkey(1)}\n`;
  const V = `witness V ${vkey(2)}\n`;
  test.each([
    ['an empty file', ''],
    ['no quorum', W],
    ['two quorums', 'quorum none\nquorum none\n'],
    ['a quorum not defined', 'quorum W\n'],
    ['a quorum defined below', `quorum W\n${W}`],
    ['a quorum of two', `${W}${V}quorum W V\n`],
    ['a missing last newline', `${W}quorum W`],
    ['CRLF', 'quorum none\r\n'],
    ['a control character in a comment', '# \x07\nquorum none\n'],
    ['DEL', '# \x7f\nquorum none\n'],
    ['an unknown keyword', 'trust me\nquorum none\n'],
    ['a keyword in upper case', 'QUORUM none\n'],
    ['a comment behind an item', 'quorum none # nobody\n'],
    ['a no-break space between items', 'quorum\u00a0none\n'],
    ['a name twice', `${W}witness W ${vkey(2)}\nquorum W\n`],
    ['a group with the name of a witness', `${W}${V}group W any V\nquorum W\n`],
    ['a witness called none', `witness none ${vkey(1)}\nquorum none\n`],
    ['a group called none', `${W}group none any W\nquorum none\n`],
    ['none as a member', `${W}group G any none\nquorum G\n`],
    ['a key twice', `${W}witness V ${vkey(1)}\nquorum W\n`],
    [
      'a key twice under two key names',
      `${W}witness V ${formatVerifierKey(signingKey(host, 'alias', seed(1), 4))}\nquorum W\n`,
    ],
    ['a log twice', `log ${logKey}\nlog ${logKey}\nquorum none\n`],
    ['a log’s key for a witness', `witness W ${logKey}\nquorum W\n`],
    ['a witness’s key for a log', `log ${vkey(1)}\nquorum none\n`],
    ['a member twice', `${W}group G any W W\nquorum G\n`],
    ['a member of two groups', `${W}group G any W\ngroup H any W\nquorum G\n`],
    ['a member defined below', `group G any W\n${W}quorum G\n`],
    ['a group in itself', `${W}group G any W G\nquorum G\n`],
    ['a group of nobody', `${W}group G any\nquorum G\n`],
    ['a threshold of 0', `${W}group G 0 W\nquorum G\n`],
    ['a threshold above the members', `${W}group G 2 W\nquorum G\n`],
    ['a threshold with a leading zero', `${W}group G 01 W\nquorum G\n`],
    ['a threshold that is a word', `${W}group G most W\nquorum G\n`],
    ['a log without a key', 'log\nquorum none\n'],
    ['a log with two URLs', `log ${logKey} a b\nquorum none\n`],
    ['a witness without a key', 'witness W\nquorum none\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrowWithCode('bad-policy');
  });

  test('refuses a malformed key and bytes that are not UTF-8', () => {
    expect(() => parse('log example.com\nquorum none\n')).toThrowWithCode('bad-key');
    expect(() => parseTlogPolicy(host, Uint8Array.of(0x23, 0xff, 0x0a))).toThrowWithCode(
      'bad-policy',
    );
  });

  test(`holds ${MAX_POLICY_ITEMS} of each kind, not one more`, () => {
    const witnesses = (count: number) =>
      Array.from({ length: count }, (_, i) => `witness W${i} ${vkey(i + 1)}\n`).join('');
    const groups = (count: number) =>
      Array.from({ length: count }, (_, i) => `group G${i} any W${i}\n`).join('');
    const logs = (count: number) =>
      Array.from(
        { length: count },
        (_, i) => `log ${formatVerifierKey(signingKey(host, 'l', seed(i)))}\n`,
      ).join('');
    const most = MAX_POLICY_ITEMS;
    const full = parse(`${logs(most)}${witnesses(most)}${groups(most)}quorum G0\n`);
    expect([full.logs, full.witnesses, full.groups].map((items) => items.length)).toEqual([
      most,
      most,
      most,
    ]);
    expect(() => parse(`${witnesses(most + 1)}quorum none\n`)).toThrowWithCode('bad-policy');
    expect(() => parse(`${logs(most + 1)}quorum none\n`)).toThrowWithCode('bad-policy');
    const chain = Array.from(
      { length: most },
      (_, i) => `group H${i} any ${i === 0 ? 'W0' : `H${i - 1}`}\n`,
    );
    expect(parse(`${witnesses(1)}${chain.join('')}quorum H0\n`).groups).toHaveLength(most);
    expect(() =>
      parse(`${witnesses(1)}${chain.join('')}group Z any H${most - 1}\nquorum Z\n`),
    ).toThrowWithCode('bad-policy');
  });

  test(`has ${MAX_POLICY_BYTES} bytes, not one more`, () => {
    const end = '\nquorum none\n';
    const text = `#${'x'.repeat(MAX_POLICY_BYTES - end.length - 1)}${end}`;
    expect(parse(text).quorum).toBeUndefined();
    expect(() => parse(`#${text}`)).toThrowWithCode('too-large');
  });
});

describe('the quorum', () => {
  const policy = parse(EXAMPLE);

  test('is what the groups say, for every set of witnesses', () => {
    const names = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'];
    fc.assert(
      fc.property(fc.subarray(names), (cosigned) => {
        const [x, y] = ['X', 'Y'].map((l) => cosigned.filter((name) => name.startsWith(l)).length);
        expect(meetsQuorum(policy, new Set(cosigned))).toBe(x! >= 2 && y! >= 1);
      }),
    );
  });

  test('is not met by the names of groups or of strangers', () => {
    expect(meetsQuorum(policy, new Set(['X-and-Y', 'X-witnesses', 'Y-witnesses', 'Z']))).toBe(
      false,
    );
  });

  test('of none is met by nobody', () => {
    expect(meetsQuorum(parse('quorum none\n'), new Set())).toBe(true);
  });

  const cosigned = (...numbers: number[]) =>
    signNote('log.example\n1\nAAAA\n', [
      noteSigner(log),
      ...numbers.map((number) => cosignatureSigner(witness(number), 1000 + number)),
    ]);

  test('counts good cosignatures, with their times', () => {
    const checked = checkQuorum(policy, cosigned(1, 3, 6));
    expect(checked).toMatchObject({
      ok: true,
      cosignatures: [{ time: 1001 }, { time: 1003 }, { time: 1006 }],
    });
  });

  test('is not met by one witness signing many times', () => {
    const { text, signatures } = cosigned(1, 6);
    const again = signNote(text, [cosignatureSigner(witness(1), 2000)]).signatures;
    expect(checkQuorum(policy, { text, signatures: [...signatures, ...again] })).toMatchObject({
      ok: false,
      code: 'untrusted',
      evidence: { cosigned: ['X1', 'Y3'] },
    });
  });

  test('is not met by witnesses that the policy does not know', () => {
    expect(checkQuorum(policy, cosigned(1, 50, 51))).toMatchObject({
      ok: false,
      code: 'untrusted',
    });
  });

  test('a bad cosignature of a known witness refuses the note', () => {
    const { signatures } = cosigned(1, 2, 4);
    const moved = { text: 'log.example\n2\nAAAA\n', signatures };
    expect(checkQuorum(policy, moved)).toMatchObject({ ok: false, code: 'signature-invalid' });
  });
});

test('a written policy is one line an item', () => {
  const written = parseUtf8(formatTlogPolicy(host, parse(`witness W ${vkey(1)} u\nquorum W\n`)));
  expect(written).toBe(`witness W ${vkey(1)} u\nquorum W\n`);
});
