/**
 * JSON of a hundred megabytes, of ten thousand levels, with a key twice, with `__proto__`, or
 * with a number that no double holds: refused with a coded error wherever JSON comes in.
 * (The server's own edge stands in server-hostile-requests.)
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { readConfig } from '../../src/config.ts';
import { parseAuditState } from '../../src/core/audit/state.ts';
import { formatBase64, utf8 } from '../../src/core/bytes.ts';
import { type ErrorCode, isCoded } from '../../src/core/error.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { parseEntry } from '../../src/core/log/entry.ts';
import { parseHead } from '../../src/core/log/heads.ts';
import { parseAdvisory } from '../../src/core/release/advisory.ts';
import { parseAnnouncement } from '../../src/core/release/announcement.ts';
import { parseDecisions } from '../../src/core/release/decisions.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import {
  formatPolicy,
  POLICY_PAYLOAD_TYPE,
  parsePolicy,
  soloPolicy,
} from '../../src/core/release/policy.ts';
import { parseVoid } from '../../src/core/release/void.ts';
import { parseBundle } from '../../src/core/statement/bundle.ts';
import { parseDecision } from '../../src/core/statement/decision.ts';
import { parseEnvelope } from '../../src/core/statement/dsse.ts';
import { parseHashedRekord } from '../../src/core/statement/hashedrekord.ts';
import { parseModelStatement } from '../../src/core/statement/oms.ts';
import { parseGateSummary } from '../../src/core/statement/verdict.ts';
import { parseRoot } from '../../src/core/trust/root.ts';
import { parseInventory } from '../../src/core/weights/inventory.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { readKeyFile } from '../../src/keyring/file.ts';
import { readLeft } from '../../src/transfer/left-documents.ts';
import { DiskPins } from '../../src/transfer/pins-disk.ts';
import { Target } from '../../src/transfer/target.ts';
import { makeHome } from '../cli/command-line.ts';
import { enrolled } from '../made/enrolment.ts';
import { OPERATOR, useWorlds } from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';
import { NO_PAUSES } from '../made/reader.ts';

const LEVELS = 10_000;
const ORIGIN = parseOrigin('models.example.org');
const RELEASE = parseReleaseName('acme/tiny@v1');
const ACME = parseNamespace('acme');
const OWNER = { id: 'owner', name: 'Owner', key: enrolled(makeKey()) };
/** The other documents that a pull leaves. */
const LEFT = [
  'model.sig',
  ...['manifest.json', 'entry', 'release.dsse', 'release.tlog-proof', 'model-sig.tlog-proof'].map(
    (name) => `.weighhouse/${name}`,
  ),
];

/** Bombs that are small on the wire. */
const SMALL: readonly [string, string][] = [
  ['lists in lists', '['.repeat(LEVELS) + ']'.repeat(LEVELS)],
  ['lists in lists, open', '['.repeat(LEVELS)],
  ['objects in objects', `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`],
  ['depth in a member that nobody knows', `{"x":${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}}`],
  ['a key twice', '{"v":1,"v":1}'],
  ['a key twice, once escaped', '{"v":1,"\\u0076":1}'],
  ['__proto__', '{"__proto__":{"v":1}}'],
  ['a lone surrogate', '{"v":"\\ud800"}'],
  ['no JSON', '{"v":NaN}'],
];
/** What a strict parser says of each: it found just this, and nothing by accident. */
function codeOf(text: string): ErrorCode {
  return /(?:\[|\{"a":){9}/.test(text) ? 'too-large' : 'bad-json';
}

/** More than any document may have, most of it white space. */
const LARGE = (() => {
  const bytes = new Uint8Array(300 * 2 ** 20).fill(0x20);
  bytes.set(utf8('{"v":1}'), 0);
  return bytes;
})();

const PARSERS: readonly [string, (bytes: Uint8Array) => unknown][] = [
  ['a manifest', parseManifest],
  ['a policy', parsePolicy],
  ['an advisory', parseAdvisory],
  ['an announcement', parseAnnouncement],
  ['a void', parseVoid],
  ['a decision', parseDecision],
  ['a verdict', parseGateSummary],
  ['decisions.json', parseDecisions],
  ['an envelope', (bytes) => parseEnvelope(bytes, 'it')],
  ['a bundle', (bytes) => parseBundle(bytes)],
  ['a record', (bytes) => parseHashedRekord(bytes)],
  ['a model statement', (bytes) => parseModelStatement(nodeHost, bytes)],
  ['a trust root', (bytes) => parseRoot(nodeHost, bytes)],
  ['an inventory', parseInventory],
  ['a log entry', parseEntry],
  ['a head', parseHead],
  ['an audit state', (bytes) => parseAuditState(bytes)],
];

test.each(PARSERS)('%s', (_, parse) => {
  for (const [what, text] of SMALL) {
    expect([what, outcomeOf(() => parse(utf8(text)))]).toEqual([what, codeOf(text)]);
  }
  expect(() => parse(LARGE)).toThrowWithCode('too-large');
});

describe('an answer to a client', () => {
  function api(text: string, type = 'application/json', status = 200): Api {
    const answer = async () => new Response(text, { status, headers: { 'content-type': type } });
    return new Api({
      url: parseRegistryUrl('http://registry.example'),
      fetch: answer,
      pauses: NO_PAUSES,
    });
  }

  test.each(SMALL)('of %s is refused', async (_, text) => {
    for (const call of [
      api(text).freshness(ACME),
      api(text).configuration(),
      api(text).releases({}),
      api(text).openDraft(RELEASE),
    ]) {
      await expect(call).rejects.toThrowWithCode(codeOf(text));
    }
  });

  test.each(SMALL)('that refuses with %s is a refusal all the same', async (_, text) => {
    const refusing = api(text, 'application/problem+json', 409).openDraft(RELEASE);
    await expect(refusing).rejects.toThrowWithCode('conflict');
  });

  test.each(['9007199254740992', '9007199254740993', '1e300', '-1', '0.5', '"1"'])(
    'with the number %s is refused',
    async (number) => {
      const published = { reference: 'a', digest: `sha256:${'0'.repeat(64)}`, published: true };
      const text = JSON.stringify({ ...published, index: 1, size: 1 });
      expect(await api(text).publish(RELEASE, undefined)).toMatchObject({ size: 1 });
      for (const member of ['index', 'size']) {
        const wrong = text.replace(`"${member}":1`, `"${member}":${number}`);
        const publishing = api(wrong).publish(RELEASE, undefined);
        await expect(publishing).rejects.toThrowWithCode('bad-document');
      }
    },
  );

  test('that holds envelopes of ten thousand levels does not stop policy show', async () => {
    const home = await makeHome();
    const server = createServer((_, response) => {
      const policy = formatBase64(formatPolicy(soloPolicy(ORIGIN, ACME, OWNER)));
      const bomb = formatBase64(utf8(SMALL[2]![1]));
      response.end(JSON.stringify({ index: 0, policy, signed: [bomb] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { stderr } = await home.run('policy', 'show', 'acme', '--url', url);
    await new Promise((resolve) => server.close(resolve));
    await home.remove();
    expect(stderr).toContain('nested deeper');
  });
});

describe('a file on this machine', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weighhouse-bombs-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function put(path: string, content: string | Uint8Array): Promise<string> {
    const location = join(folder, path);
    await mkdir(dirname(location), { recursive: true });
    await writeFile(location, content);
    return location;
  }

  const READERS: readonly [string, (content: string | Uint8Array) => Promise<unknown>][] = [
    [
      'the configuration',
      async (content) => {
        await put('weighhouse/config.json', content);
        return readConfig({ XDG_CONFIG_HOME: folder });
      },
    ],
    ['a key file', async (content) => readKeyFile(await put('a.key', content), undefined)],
    [
      'a pin',
      async (content) => {
        await put(`${ORIGIN}/pin.json`, content);
        return new DiskPins(folder).pin(ORIGIN);
      },
    ],
    [
      'what was seen',
      async (content) => {
        await put(`${ORIGIN}/seen.json`, content);
        return new DiskPins(folder).seen(ORIGIN);
      },
    ],
    [
      'what was pulled',
      async (content) => {
        await put('.weighhouse/release.json', content);
        for (const name of LEFT) await put(name, 'x');
        return readLeft(await Target.open(folder));
      },
    ],
  ];

  test.each(READERS)('%s', async (_, read) => {
    for (const [what, text] of SMALL) {
      const error = await read(text).catch((thrown: unknown) => thrown);
      expect([what, isCoded(error)]).toEqual([what, true]);
    }
    const error = await read(LARGE).catch((thrown: unknown) => thrown);
    expect(isCoded(error)).toBe(true);
  });
});

describe('a namespace', () => {
  const makeWorld = useWorlds();

  test.each(SMALL)('does not begin with a policy, or an envelope, of %s', async (_, text) => {
    const live = await (await makeWorld()).open();
    const { world, registry } = live;
    const policy = formatPolicy(world.policy('acme'));
    for (const creation of [
      { policy: utf8(text), signed: [world.sign(POLICY_PAYLOAD_TYPE, utf8(text))] },
      { policy, signed: [utf8(text)] },
    ]) {
      const creating = registry.createNamespace(OPERATOR, { ...creation, override: false });
      await expect(creating).rejects.toThrowWithCode(codeOf(text));
    }
    expect(await live.kinds()).toEqual([]);
  });
});

/** The code of the error that `act` throws. */
function outcomeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return isCoded(error) ? error.code : error;
  }
}
