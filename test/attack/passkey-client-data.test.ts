/** Client data that two readers read in two ways, or that nobody wants to read. */
import { expect, test } from '@jest/globals';
import { formatBase64, utf8 } from '../../src/core/bytes.ts';
import { parseEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { MAX_CLIENT_DATA_BYTES } from '../../src/core/statement/passkey.ts';
import type { Loose } from '../made/loose.ts';
import { telling } from '../made/passkey.ts';
import { usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();

const EVIL = ',"origin":"https://evil.example"}';
const long = (bytes: number) => (honest: string) =>
  honest.replace(/\}$/, `,"x":"${'a'.repeat(bytes - honest.length - 7)}"}`);

/** Rita's approval as JSON, with client data of hers and of a stranger's. */
async function approval(clientText: (honest: string) => string) {
  const { gated, passkey } = room();
  const signed = await gated.sign('rita', { decision: 'approve' }, { key: passkey });
  const index = await gated.commit(signed);
  const { payloadType, payload } = parseEnvelope(signed.envelope);
  const { authenticatorData, clientDataJSON, signature } = passkey.sign(
    toSign(payloadType, payload),
    { clientText },
  );
  const ext = {
    authenticatorData: formatBase64(authenticatorData),
    clientDataJSON: formatBase64(clientDataJSON),
  };
  const extension = { kind: 'application/vnd.weighhouse.webauthn.v1+json', ext };
  const signatures = [{ sig: formatBase64(signature), extension }];
  const envelope = { payload: formatBase64(payload), payloadType, signatures };
  return { index, salt: signed.salt, envelope };
}

async function send(json: Awaited<ReturnType<typeof approval>>) {
  const { served } = room().gated;
  const { token } = await served.token({ roles: ['reviewer'] });
  const path = '/api/v1/drafts/acme/tiny/v1.0/decisions';
  const response = await served.fetch(path, { method: 'POST', token, json });
  return { status: response.status, problem: (await response.json()) as Loose };
}

test.each([
  ['a key that stands twice', (honest: string) => honest.replace(/\}$/, EVIL), 'bad-json'],
  [
    'a key that stands twice, once escaped',
    (h: string) => h.replace(/\}$/, EVIL.replace('o', '\\u006f')),
    'bad-json',
  ],
  ['more than an object', (honest: string) => `${honest}{}`, 'bad-json'],
  ['a byte order mark', (honest: string) => `\ufeff${honest}`, 'bad-json'],
  ['no object', () => '["webauthn.get"]', 'bad-envelope'],
  [
    'too much depth',
    (h: string) => h.replace(/\}$/, `,"x":${'['.repeat(9)}${']'.repeat(9)}}`),
    'too-large',
  ],
])('%s is refused', async (_, change, code) => {
  const { status, problem } = await send(await approval(change));
  expect(problem.code).toBe(code);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
});

test('client data is read up to its limit, and one byte more is refused', async () => {
  const { gated, passkey } = room();
  const atLimit = telling(passkey, { clientText: long(MAX_CLIENT_DATA_BYTES) });
  await gated.decide('rita', { decision: 'approve' }, { key: atLimit });
  await gated.publish();
  const { problem } = await send(await approval(long(MAX_CLIENT_DATA_BYTES + 1)));
  expect(problem.code).toBe('too-large');
});

test('members that nobody knows are left alone, as browsers may send more', async () => {
  const { gated, passkey } = room();
  const more = (honest: string) => honest.replace(/\}$/, ',"other_keys_can_be_added_here":"…"}');
  const key = telling(passkey, { clientText: more });
  await gated.decide('rita', { decision: 'approve' }, { key });
  await gated.publish();
  expect(await gated.audit()).toEqual([]);
});

test('what stands in an envelope is refused before anybody asks for its key', () => {
  const bytes = utf8(
    '{"payload":"","payloadType":"a/b","signatures":[{"extension":{"ext":{"authenticatorData":"AA==","clientDataJSON":"e30="},"kind":"application/vnd.weighhouse.webauthn.v1+json"},"sig":"MAYCAQECAQE="}]}',
  );
  expect(() => parseEnvelope(bytes)).toThrow('its authenticator data has 1 bytes, not 37');
});
