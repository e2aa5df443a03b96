/** What the pages say of passkeys: the bytes of docs/formats.md, and the script of docs/verify-elsewhere.md. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatHex, utf8 } from '../../src/core/bytes.ts';
import { checkEnrolments, enrolmentToSign } from '../../src/core/release/enrolment.ts';
import { formatPolicy, parsePolicy, soloPolicy } from '../../src/core/release/policy.ts';
import { type PolicyKey, signingKeyOf } from '../../src/core/release/policy-key.ts';
import {
  formatEnvelope,
  openEnvelope,
  parseEnvelope,
  toSign,
} from '../../src/core/statement/dsse.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { enrolled } from '../made/enrolment.ts';
import { makeKey } from '../made/p256.ts';
import { type Lies, makePasskey } from '../made/passkey.ts';

const page = async (name: string) =>
  readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const TYPE = 'application/vnd.in-toto+json';

/** The code block under `<!-- name -->`. */
function example(text: string, name: string): string {
  return new RegExp(`<!-- ${name} -->\\n\`\`\`json\\n([\\s\\S]*?)\\n\`\`\``).exec(text)![1]!;
}

describe('the examples of docs/formats.md', () => {
  test('are a passkey of a policy, what enrolled it, and an envelope that it signed', async () => {
    const text = await page('formats.md');
    const key = JSON.parse(example(text, 'passkey')) as PolicyKey;
    const owner = enrolled(makeKey(), { person: 'ada' });
    const solo = soloPolicy('models.example.org', 'acme', { id: 'ada', name: 'Ada', key: owner });
    const policy = { ...solo, people: [{ id: 'ada', name: 'Ada', keys: [owner, key] }] };
    expect(await checkEnrolments(nodeHost, parsePolicy(formatPolicy(policy)))).toEqual({
      ok: true,
    });
    const said = utf8(example(text, 'enrolment'));
    const where = { origin: 'models.example.org', namespace: 'acme', person: 'ada' };
    const signed = toSign('application/vnd.weighhouse.enrolment.v1+json', said);
    expect(formatHex(enrolmentToSign(where, signingKeyOf(key)))).toBe(formatHex(signed));
    const envelope = parseEnvelope(utf8(example(text, 'envelope')));
    expect(await openEnvelope(nodeHost, envelope, signingKeyOf(key))).toMatchObject({ ok: true });
  });
});

describe('the script of docs/verify-elsewhere.md', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    const text = await page('verify-elsewhere.md');
    const section = text.slice(text.indexOf('## An approval by a passkey'));
    await writeFile(join(folder, 'split.mjs'), /```js\n([\s\S]*?)```/.exec(section)![1]!);
    await writeFile(join(folder, 'verify.sh'), /```sh\n([\s\S]*?)```/.exec(section)![1]!);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function verify(lies: Lies, payload = 'an approval', shown = payload) {
    const passkey = makePasskey();
    const signature = passkey.sign(toSign(TYPE, utf8(payload)), lies);
    const key = JSON.stringify(enrolled(passkey, { person: 'ada' }));
    await writeFile(join(folder, 'envelope.json'), formatEnvelope(TYPE, utf8(shown), signature));
    await writeFile(join(folder, 'key.json'), key);
    const { status, stdout } = spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' });
    return { status, stdout };
  }

  test('takes what a passkey signed', async () => {
    expect(await verify({})).toEqual({
      status: 0,
      stdout: 'what was signed is the statement\nVerified OK\n',
    });
  });

  test.each<[string, Lies]>([
    ['origin', { client: { origin: 'https://evil.example' } }],
    ['relying party', { rpId: 'evil.example' }],
    ['user present and verified', { flags: 0x01 }],
    ['frame', { client: { crossOrigin: true } }],
    ['type', { client: { type: 'webauthn.create' } }],
  ])('names a wrong %s', async (what, lies) => {
    expect((await verify(lies)).stdout).toContain(`wrong: ${what}`);
  });

  test('names another statement', async () => {
    expect((await verify({}, 'an approval', 'another one')).stdout).toContain('wrong: challenge');
  });
});
