import { expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { soloPolicy } from '../../../src/core/release/policy.ts';
import { personWhoSigned } from '../../../src/core/release/signed-by.ts';
import { formatEnvelope, parseEnvelope, toSign } from '../../../src/core/statement/dsse.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { type AnyKey, makePasskey, telling } from '../../made/passkey.ts';

const TYPE = 'text/plain';
const time = '2026-02-01T12:00:00.000Z';
const [key, passkey] = [makeKey(), makePasskey()];
const solo = soloPolicy(ORIGIN, 'acme', { id: 'owner', name: 'Ada', key: enrolled(key) });
const keys = [enrolled(key), enrolled(passkey)];
const policy = { ...solo, people: [{ id: 'owner', name: 'Ada', keys }] };

function whoSigned(signer: AnyKey, revoked: ReadonlySet<string> = new Set()) {
  const payload = utf8('hello');
  const envelope = formatEnvelope(TYPE, payload, signer.sign(toSign(TYPE, payload)));
  const speakers = { policy, revoked, time };
  return personWhoSigned(nodeHost, speakers, 'owner', parseEnvelope(envelope));
}

test('a person signs with any key of theirs, each in its own form', async () => {
  expect(await whoSigned(key)).toBe('owner');
  expect(await whoSigned(passkey)).toBe('owner');
  expect(await whoSigned(passkey.bare)).toBeUndefined();
  expect(await whoSigned(telling(passkey, { flags: 0x01 }))).toBeUndefined();
});

test('nobody signs with a passkey that is revoked', async () => {
  expect(await whoSigned(passkey, new Set([keys[1]!.spki]))).toBeUndefined();
});
