import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { enrolled } from '../made/enrolment.ts';
import { makePasskey } from '../made/passkey.ts';
import { type GatedHome, makeGatedHome, ORIGIN } from './gated-home.ts';

let home: GatedHome;
beforeAll(async () => {
  home = await makeGatedHome();
});
afterAll(() => home.remove());

test('whoever signs a policy is told whose keys are new, and where a passkey signs', async () => {
  const { policy } = await home.json('policy', 'show', 'acme');
  const { people, ...rest } = policy as { people: { id: string; keys: object[] }[] };
  const passkey = enrolled(makePasskey(), { origin: ORIGIN, namespace: 'acme', person: 'bob' });
  const next = {
    ...rest,
    version: 2,
    people: people.map((person) =>
      person.id === 'bob' ? { ...person, keys: [...person.keys, passkey] } : person,
    ),
  };
  await writeFile(home.path('next.json'), JSON.stringify(next));
  const ran = await home.run('policy', 'set', 'acme', home.path('next.json'));
  expect(ran.status).toBe(0);
  expect(ran.stderr).toContain(
    'bob gets a passkey of models.example.org, which signs at https://models.example.org\n',
  );
  expect(ran.stderr).not.toContain('ada gets');
  const shown = await home.run('policy', 'show', 'acme');
  expect(shown.stdout).toContain('"rpId": "models.example.org"');
});
