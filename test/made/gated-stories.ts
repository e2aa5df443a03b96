/**
 * Releases with a gate, each a story of its own: what honest people may do, in many ways, and
 * what a registry does that was patched. Each violation says which code an audit must find.
 */
import type { ErrorCode } from '../../src/core/error.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { type Cheat, type GatedDraft, GatedNamespace, type MadeDecision } from './gated.ts';
import { makeKey } from './p256.ts';
import { type AnyKey, type Lies, type MadePasskey, makePasskey, telling } from './passkey.ts';
import type { MadeRegistry } from './registry.ts';

/** A number from 0 to 1, the same ones for the same seed. */
export type Dice = () => number;

/** Mulberry32. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A draft that is sealed, and what its former revision had decided. */
interface Scene {
  readonly space: GatedNamespace;
  readonly draft: GatedDraft;
  readonly former: readonly MadeDecision[];
}

const GATE: Requirements = {
  approvals: [{ role: 'reviewer', count: 2 }],
  evaluations: [{ suite: 'safety', accept: ['passed', 'warned'] }],
  sealed: 2,
};

const WITHDRAWN = { decision: 'withdraw', reason: 'Another base model' } as const;

const REVIEWERS = ['rita', 'rob', 'ron'] as const;

/** Evaluates and has two people approve: the rest of an honest story. */
function decide({ draft }: Scene): void {
  draft.evaluate('safety');
  draft.approve('rita');
  draft.approve('rob');
}

interface Violation {
  readonly code: ErrorCode;
  /** Publishes; answers the release's index. */
  readonly play: (scene: Scene) => number;
}

/** Decides otherwise than one must, and publishes. */
const deciding =
  (act: (scene: Scene) => Cheat | undefined) =>
  (scene: Scene): number => {
    const cheat = act(scene);
    return scene.draft.publish(cheat, scene.former);
  };

/** Decides as one must; then something more happens. */
const afterwards = (act: (scene: Scene) => Cheat | undefined) =>
  deciding((scene) => {
    decide(scene);
    return act(scene);
  });

const without = (left: MadeDecision): Cheat => ({
  show: (decisions) => decisions.filter((each) => each !== left),
});

/** Rob has a passkey, and approves with what `key` makes of it. */
function approvingBy(key: (passkey: MadePasskey) => AnyKey) {
  return deciding(({ draft, space }) => {
    const passkey = makePasskey();
    space.setPolicy({ people: space.enrolling('rob', passkey) });
    space.made.wait(3600);
    draft.evaluate('safety');
    draft.approve('rita');
    draft.approve('rob', { key: key(passkey) });
    return undefined;
  });
}

function byPasskey(name: string, lies: Lies): Readonly<Record<string, Violation>> {
  const play = approvingBy((passkey) => telling(passkey, lies));
  return { [name]: { code: 'signature-invalid', play } };
}

/** What a patched registry does, and the code by which an audit finds it. */
export const VIOLATIONS: Readonly<Record<string, Violation>> = {
  'an objection is dropped': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => without(draft.stop('ron', 'object'))),
  },
  'an objection is dropped that its author made after another decision': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => without(draft.stop('rita', 'object'))),
  },
  'an objection to a former revision is dropped': {
    code: 'gate-unmet',
    play: (scene) => {
      decide(scene);
      const { space, former } = scene;
      const again = space.draft(`again-${space.made.entries.length}@v1`, 'again', [
        scene.draft.digest,
      ]);
      const kept = [...former, ...scene.draft.decisions];
      scene.draft.stop('ron', 'object');
      again.seal();
      space.made.wait(10);
      decide({ ...scene, draft: again });
      return again.publish({}, kept);
    },
  },
  'a label stays unopened': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => without(draft.evaluate('quality'))),
  },
  'a void by another namespace is taken': {
    code: 'gate-unmet',
    play: afterwards(({ draft, space }) => {
      const objection = draft.stop('ron', 'object');
      new GatedNamespace(space.made, `other-${space.made.entries.length}`, GATE).void(
        objection.label,
      );
      return without(objection);
    }),
  },
  'an approval is backdated: it stands in no commitment': {
    code: 'untrusted',
    play: deciding(({ draft }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      const { index } = draft.approve('rob');
      const late = draft.approve('ron', { pretended: index });
      return { show: (all) => all.filter((each) => each.index !== index || each === late) };
    }),
  },
  'an approval is committed after the release': {
    code: 'untrusted',
    play: deciding(({ draft, space }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob', { pretended: space.made.entries.length + 10 });
      return undefined;
    }),
  },
  'too few approve': {
    code: 'gate-unmet',
    play: deciding(({ draft }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      return undefined;
    }),
  },
  'one person approves twice, with two keys': {
    code: 'gate-unmet',
    play: deciding(({ draft, space }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rita', { key: space.keys.get('rita')![1]! });
      return undefined;
    }),
  },
  'who pushed approves': {
    code: 'gate-unmet',
    play: deciding(({ draft }) => {
      draft.seal(['pat', 'rob']);
      draft.space.made.wait(10);
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob');
      return undefined;
    }),
  },
  'a key is revoked between approval and release': {
    code: 'gate-unmet',
    play: afterwards(({ space }) => {
      space.setPolicy({ people: space.revoking('rob') });
      return undefined;
    }),
  },
  'an approval by a key that was revoked before': {
    code: 'untrusted',
    play: deciding((scene) => {
      const { space } = scene;
      space.setPolicy({ people: space.revoking('rob') });
      decide(scene);
      return undefined;
    }),
  },
  'an approval by a key that nobody enrolled': {
    code: 'untrusted',
    play: deciding(({ draft }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob', { key: makeKey() });
      return undefined;
    }),
  },
  'an approval by a key that is enrolled later': {
    code: 'untrusted',
    play: deciding(({ draft, space }) => {
      const key = makeKey();
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob', { key });
      space.setPolicy({ people: space.enrolling('rob', key) });
      space.made.wait(3600);
      return undefined;
    }),
  },
  ...byPasskey('an approval by a passkey at another site', {
    client: { origin: 'https://evil.example' },
  }),
  ...byPasskey('an approval by a passkey for another relying party', { rpId: 'evil.example' }),
  ...byPasskey('an approval by a passkey whose holder was not verified', { flags: 0x01 }),
  'an approval by the bare numbers of a passkey': {
    code: 'signature-invalid',
    play: approvingBy(({ bare }) => bare),
  },
  'an approval has expired': {
    code: 'gate-unmet',
    play: deciding(({ draft, space }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob', { lifetime: 5 });
      space.made.wait(60);
      return undefined;
    }),
  },
  'an approval of another release of the same bytes': {
    code: 'gate-unmet',
    play: deciding(({ draft, space }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob', { context: { release: `${space.namespace}/elsewhere@v1` } });
      return undefined;
    }),
  },
  'an approval at another registry': {
    code: 'gate-unmet',
    play: deciding(({ draft }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob', { context: { origin: 'other.example' } });
      return undefined;
    }),
  },
  'an evaluation of other bytes': {
    code: 'gate-unmet',
    play: deciding(({ draft, space }) => {
      const other = space.draft(`other-${space.made.entries.length}@v1`, 'other');
      draft.evaluate('safety', 'passed', { digest: other.digest });
      draft.approve('rita');
      draft.approve('rob');
      return undefined;
    }),
  },
  'an evaluation failed': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => {
      draft.evaluate('safety', 'failed');
      return undefined;
    }),
  },
  'the policy is loosened and used before its delay': {
    code: 'gate-unmet',
    play: deciding(({ draft, space }) => {
      draft.evaluate('safety');
      draft.approve('rita');
      space.setPolicy({ gate: { ...GATE, approvals: [{ role: 'reviewer', count: 1 }] } });
      space.made.wait(60);
      return undefined;
    }),
  },
  'an older policy is named': {
    code: 'gate-unmet',
    play: afterwards(({ space }) => {
      const { policyIndex } = space;
      space.setPolicy({ gate: { ...GATE, approvals: [{ role: 'reviewer', count: 3 }] } });
      return { named: { policy: policyIndex } };
    }),
  },
  'a hold is ignored': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => {
      draft.stop('max', 'hold');
      return undefined;
    }),
  },
  'an objection is lifted by who pushed': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => {
      draft.lift('pat', draft.stop('ron', 'object'));
      return undefined;
    }),
  },
  'it is published too young': {
    code: 'gate-unmet',
    play: ({ space }) => {
      const draft = space.draft(`young-${space.made.entries.length}@v1`, 'young');
      draft.evaluate('safety');
      draft.approve('rita');
      draft.approve('rob');
      draft.seal();
      return draft.publish();
    },
  },
  'it was never sealed': {
    code: 'gate-unmet',
    play: ({ space }) => {
      const draft = space.draft(`unsealed-${space.made.entries.length}@v1`, 'unsealed');
      decide({ space, draft, former: [] });
      return draft.publish();
    },
  },
  'it was withdrawn, and nothing lifts that': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => {
      draft.lift('max', draft.say('pat', WITHDRAWN));
      return undefined;
    }),
  },
  'its withdrawal is dropped': {
    code: 'gate-unmet',
    play: afterwards(({ draft }) => without(draft.say('max', WITHDRAWN))),
  },
  'the verdict leaves out an input': {
    code: 'untrusted',
    play: afterwards(() => ({ inputs: (digests) => digests.slice(1) })),
  },
  'the verdict is signed by another': {
    code: 'signature-invalid',
    play: afterwards(() => ({ verdictKey: makeKey() })),
  },
  'there is no intent': {
    code: 'gate-unmet',
    play: afterwards(() => ({ intent: () => undefined })),
  },
  'the intent is to publish another release': {
    code: 'gate-unmet',
    play: afterwards(({ space }) => {
      const other = space.draft(`other-${space.made.entries.length}@v1`, 'other');
      return { intent: () => other.intent() };
    }),
  },
  'the intent is signed by a stranger': {
    code: 'signature-invalid',
    play: afterwards(() => ({
      intent: (draft) => draft.sign('max', { decision: 'publish' }, { key: makeKey() }).envelope,
    })),
  },
  'the intent is signed by no release manager': {
    code: 'gate-unmet',
    play: afterwards(() => ({
      intent: (draft) => draft.sign('pat', { decision: 'publish' }).envelope,
    })),
  },
  'a decision is opened with another salt': {
    code: 'digest-mismatch',
    play: afterwards(() => ({
      show: ([first, ...rest]) => [{ ...first!, salt: '11'.repeat(32) }, ...rest],
    })),
  },
  'a signer’s chain is forked': {
    code: 'untrusted',
    play: afterwards(({ draft }) => {
      draft.approve('rita', { context: { previous: draft.digest } });
      return undefined;
    }),
  },
  'a decision is shown of which the one before was never logged': {
    code: 'untrusted',
    play: afterwards(({ draft }) => {
      draft.approve('ron', { context: { n: 1, previous: draft.digest } });
      return undefined;
    }),
  },
  'a decision has seen another log than this': {
    code: 'fork',
    play: afterwards(({ draft, space }) => {
      const { size } = space.made.head;
      draft.approve('ron', { context: { checkpoint: { size, root: draft.digest } } });
      return undefined;
    }),
  },
  'the intent has seen another log than this': {
    code: 'fork',
    play: afterwards(({ space }) => {
      const size = Math.floor(space.made.head.size / 2);
      return {
        intent: (draft) => {
          const context = { checkpoint: { size, root: draft.digest } };
          return draft.sign('max', { decision: 'publish' }, { context }).envelope;
        },
      };
    }),
  },
  'a decision has seen a log that did not exist yet': {
    code: 'untrusted',
    play: afterwards(({ draft, space }) => {
      const size = space.made.entries.length + 1;
      draft.approve('ron', { context: { checkpoint: { size, root: draft.digest } } });
      return undefined;
    }),
  },
};

/** What honest people do besides what is asked, each of it now and then. */
const HONEST: readonly ((scene: Scene, roll: Dice) => Cheat | undefined)[] = [
  () => undefined,
  ({ draft }, roll) => {
    for (const who of REVIEWERS) if (roll() < 0.5) draft.approve(who);
    return undefined;
  },
  ({ draft }) => {
    draft.lift('max', draft.stop('ron', 'object'));
    return undefined;
  },
  ({ draft, space }) => {
    const passkey = makePasskey();
    space.setPolicy({ people: space.enrolling('ron', passkey) });
    space.made.wait(3600);
    draft.lift('ron', draft.stop('ron', 'object', { key: passkey }), { key: passkey });
    return undefined;
  },
  ({ draft }) => {
    const hold = draft.stop('rita', 'hold');
    draft.approve('rita');
    draft.lift('rita', hold);
    return undefined;
  },
  ({ draft, space }) => {
    const until = new Date(space.made.now + 20_000).toISOString();
    draft.say('max', { decision: 'postpone', until, reason: 'More tests' });
    space.made.wait(30);
    return undefined;
  },
  ({ draft }) => {
    // Nobody whose word that is.
    draft.say('rita', WITHDRAWN);
    return undefined;
  },
  ({ draft }) => {
    draft.evaluate('safety', 'failed');
    draft.evaluate('safety', 'warned');
    return undefined;
  },
  ({ draft, space }) => {
    const lost = draft.stop('ron', 'object');
    space.void(lost.label);
    return without(lost);
  },
  ({ draft, space }) => {
    const release = draft.reference;
    const date = new Date(space.made.now + 86_400_000).toISOString();
    space.announce({ release, announcement: 'announced', date });
    space.announce({ release, announcement: 'postponed', date: null });
    return undefined;
  },
  ({ draft, space }) => {
    // One more approval, and a revoked key of somebody who said nothing: both act at once.
    draft.approve('ron');
    space.setPolicy({ gate: { ...GATE, approvals: [{ role: 'reviewer', count: 3 }] } });
    space.setPolicy({ people: space.revoking('pat') });
    return undefined;
  },
  ({ space }) => {
    space.setPolicy({ gate: { ...GATE, approvals: [{ role: 'reviewer', count: 1 }] } });
    space.made.wait(3600);
    return undefined;
  },
];

let serial = 0;

/** Publishes one release in a namespace of its own, with a former revision now and then. */
export function tell(made: MadeRegistry, roll: Dice, violation?: keyof typeof VIOLATIONS): number {
  serial++;
  const space = new GatedNamespace(made, `lab${serial}`, GATE);
  const former = roll() < 0.3 ? formerRevision(space, roll) : undefined;
  const name = `model@v${serial}`;
  const draft = space.draft(name, `weights ${serial}`, former ? [former.digest] : []);
  const scene = { space, draft, former: former?.decisions ?? [] };
  draft.seal();
  made.wait(5);
  if (violation !== undefined) return VIOLATIONS[violation]!.play(scene);
  decide(scene);
  const more = HONEST[Math.floor(roll() * HONEST.length)]!(scene, roll);
  return draft.publish(more, scene.former);
}

/** It was objected to, so its content was changed. */
function formerRevision(space: GatedNamespace, roll: Dice): GatedDraft {
  const draft = space.draft(`model@v${serial}`, `first weights ${serial}`);
  draft.seal();
  draft.stop('rob', 'object');
  if (roll() < 0.5) draft.approve('rita');
  // Too late: the next revision is sealed already, or will be.
  if (roll() > 0.7) draft.say('pat', WITHDRAWN);
  return draft;
}
