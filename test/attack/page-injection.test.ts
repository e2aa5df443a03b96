/**
 * Whoever may write something that a page shows (a publisher's files and card, a person's name in
 * the policy, reasons, an advisory) tries to have a reader's browser run it.
 */
import { expect, test } from '@jest/globals';
import type { Policy } from '../../src/core/release/policy.ts';
import { GatedServer } from '../made/gated-served.ts';
import { RELEASE } from '../made/live-registry.ts';
import { SignedIn } from '../made/signed-in.ts';
import { ONE_APPROVAL, PEOPLE, type Team } from '../made/team.ts';

/** Breaks out of text, of either kind of attribute, and of a comment, if anything lets it. */
const evil = (where: string) =>
  `${where}"'--><xss-${where} onxss="x"><script>xss()</script>${'\u202e'}`;
/** What none of it may become: a tag, or an attribute. */
const RUN = /<xss|<script>xss|["']\s*onxss|["']-->/;

const FILES = {
  'README.md': `---\nlicense: '${evil('license').replaceAll("'", "''")}'\n---\n# ${evil('card')}\n\n[${evil('link')}](javascript:xss)`,
  "it's & so on; $(xss) `xss`.txt": 'A name that means something to pages and to shells.',
  'config.json': JSON.stringify({ model_type: evil('config'), architectures: [evil('arch')] }),
};

/** Every page that shows something of it. */
const PUBLIC = ['/', '/?q=tiny', '/acme', '/acme/tiny', '/acme/tiny/v1.0', '/acme/tiny/v1.0/files'];
const DRAFT = '/-/drafts/acme/tiny/v1.0';

function namesOf(team: Team): Policy['people'] {
  const { people } = team.policy(ONE_APPROVAL);
  return people.map((person) => ({ ...person, name: evil(person.id) }));
}

test('nothing that anybody writes becomes markup, before the release or after it', async () => {
  const gated = await GatedServer.start(ONE_APPROVAL, {});
  try {
    const people = namesOf(gated.team);
    expect(people).toHaveLength(PEOPLE.length);
    await gated.setPolicy(gated.policy(2, ONE_APPROVAL, { people }), 'olga');
    const digest = await gated.push(RELEASE, FILES);
    await gated.decide('rita', { decision: 'approve', reason: evil('approve') });
    await gated.decide('rob', { decision: 'hold', reason: evil('hold') });

    const { token } = (await gated.api('rita')).http;
    const signedIn = await SignedIn.as(gated.served, token!);
    const draft = await signedIn.get(DRAFT);
    expect(draft.text).toContain('&lt;xss-hold');
    expect(draft.text).not.toMatch(RUN);

    await gated.decide('rob', {
      decision: 'lift',
      reason: evil('lift'),
      lifts: (await (await gated.api('rob')).draftStatus(RELEASE)).decisions.find(
        (it) => it.decision === 'hold',
      )!.digest,
    });
    await gated.publish();
    const shown: string[] = [];
    for (const path of PUBLIC) {
      const response = await gated.served.fetch(path, { headers: { accept: 'text/html' } });
      expect([path, response.status]).toEqual([path, 200]);
      const text = await response.text();
      expect(text).not.toMatch(RUN);
      shown.push(text);
    }
    // It was there to be found: each of these is shown by some page, as text.
    for (const where of ['license', 'card', 'link', 'approve', 'hold', 'lift', 'rita', 'olga']) {
      expect([where, shown.some((text) => text.includes(`&lt;xss-${where}`))]).toEqual([
        where,
        true,
      ]);
    }
    expect(digest).toMatch(/^sha256:/);
  } finally {
    await gated.stop();
  }
});

test('a file whose name means something to a shell stands in no command', async () => {
  const gated = await GatedServer.start(ONE_APPROVAL, {});
  try {
    await gated.push(RELEASE, { 'a$(xss).txt': 'x', "b'.txt": 'x', 'c d.txt': 'x' });
    await gated.decide('rita', { decision: 'approve' });
    await gated.publish();
    const response = await gated.served.fetch('/acme/tiny/v1.0', {
      headers: { accept: 'text/html' },
    });
    const commands = (await response.text()).match(/<pre class="command"[\s\S]*?<\/pre>/g) ?? [];
    expect(commands.length).toBeGreaterThan(2);
    expect(commands.join('')).not.toMatch(/xss|sha256sum/);
  } finally {
    await gated.stop();
  }
});
