/**
 * The script of a draft's page: decides about it, with a key that does not leave the browser. What
 * it needs of the page is one element:
 *
 *     <section id="decide" data-reference="acme/tiny@v1" data-digest="sha256:…"
 *              data-token="/-/token" data-now="1764504000000">
 *
 * The digest is the one that the person sees: should another be sealed meanwhile, nothing is signed.
 * What the page counts down to, it keeps current, by the clock of the server that made it.
 */
import type { DraftStatus } from '../client/answers.ts';
import type { Api } from '../client/api.ts';
import { decide, draftDecision, signEnvelope, type Wish } from '../client/decide/decide.ts';
import { type Means, type Signer, signingKey } from '../client/decide/desk.ts';
import { deskOf } from '../client/decide/registry-desk.ts';
import { readPolicyInForce } from '../client/policy-in-force.ts';
import { formatHex } from '../core/bytes.ts';
import { type Digest, parseDigest } from '../core/digest.ts';
import { isCoded } from '../core/error.ts';
import { parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Policy } from '../core/release/policy.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import { browserHost } from './check/host.ts';
import { StoredPins } from './check/stored-pins.ts';
import { findRoot } from './check/trust.ts';
import { type Choice, choicesOf, liftable } from './decide/choices.ts';
import { keepCurrent } from './decide/countdown.ts';
import { askEvaluation } from './decide/evaluation.ts';
import { findKey, makeKey } from './decide/key.ts';
import { type Attempt, knownKey, noKey, personOf, unknownKey } from './decide/key-panel.ts';
import { findPasskey, offerPasskeys } from './decide/passkey-panel.ts';
import { type Asked, askConsent, askWhat, CHOICE_WORDS } from './decide/questions.ts';
import { apiOfSession } from './decide/session.ts';
import { openStore, type SignerStore } from './decide/store.ts';
import { button, element } from './panel/element.ts';

/** Seconds that a decision is good for, and an intent to publish. */
const DECISION_LASTS = 90 * 24 * 3600;
const INTENT_LASTS = 24 * 3600;
/** What takes a release further; everything else stops it. */
const LEADING: readonly Choice[] = ['evaluate', 'approve', 'publish'];

const section = document.querySelector<HTMLElement>('#decide');
if (section !== null) {
  countDown(section);
  void begin(section);
}

/** What a page is about, once the registry was recognised. */
interface Room {
  readonly api: Api;
  readonly means: Means;
  readonly store: SignerStore;
  readonly release: ReleaseName;
  readonly digest: Digest;
  readonly status: DraftStatus;
  readonly policy: Policy;
}

/** Says once that a time has come, and never how long it still is. */
function countDown(section: HTMLElement): void {
  const ahead = Number(section.dataset.now) - Date.now();
  const said = element('p', { role: 'status' });
  section.before(said);
  keepCurrent(
    document,
    () => Date.now() + ahead,
    () => {
      const again = element('a', { href: location.pathname }, 'Load the page again');
      said.replaceChildren(
        'What this waited for has come. ',
        again,
        ' to see what is still missing.',
      );
    },
  );
}

async function begin(section: HTMLElement): Promise<void> {
  for (const instead of section.querySelectorAll('.no-script')) instead.remove();
  const content = element('div');
  const said = element('p', { role: 'status' });
  section.append(content, said);
  const tell = (text: string, isBad = false) => {
    said.textContent = text;
    said.classList.toggle('bad', isBad);
  };
  try {
    tell('Looking at what is sealed …');
    const room = await open(section.dataset);
    await show(content, room, tell);
    tell('');
  } catch (error) {
    tell(messageOf(error), true);
  }
}

/** Recognises the registry, as the check of a release does, and reads what is to be decided about. */
async function open({ reference = '', digest = '', token = '' }: DOMStringMap): Promise<Room> {
  const host = browserHost(crypto.subtle);
  const api = apiOfSession(token);
  const pins = new StoredPins(localStorage, Date.now);
  const reader = { host, api, pins, clock: Date.now };
  const { value: root } = await findRoot(reader, (origin) => pins.since(origin), undefined);
  const release = parseReleaseName(reference);
  const { signal } = new AbortController();
  const store = await openStore();
  const means: Means = {
    host,
    desk: deskOf(reader, root.origin, signal),
    receipts: store,
    clock: Date.now,
    random: () => formatHex(crypto.getRandomValues(new Uint8Array(32))),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
  const status = await api.draftStatus(release);
  const policy = await readPolicyInForce(api, release, status, signal);
  if (policy === undefined) throw new Error('the registry does not say which policy is in force');
  return { api, means, store, release, digest: parseDigest(digest), status, policy };
}

type Tell = (text: string, isBad?: boolean) => void;

async function show(content: HTMLElement, room: Room, tell: Tell): Promise<void> {
  const { means, store, policy, status } = room;
  const { origin } = means.desk;
  const parts = { host: means.host, origin, policy };
  const again = () => show(content, room, tell);
  const attempt: Attempt = (what) => {
    tell('');
    what().catch((error) => tell(messageOf(error), !isCoded(error, 'interrupted')));
  };
  const signer = (await findPasskey(parts, store)) ?? (await findKey(store, origin));
  const passkeys = offerPasskeys({ ...parts, store, attempt, again }, signer);
  if (signer === undefined) {
    const make = () => attempt(() => makeKey(store, origin).then(again));
    content.replaceChildren(noKey(make, passkeys));
    return;
  }
  const person = personOf(policy, signer);
  if (person === undefined) {
    content.replaceChildren(unknownKey(parts, signer, attempt), passkeys);
    return;
  }
  const choices = choicesOf(policy, person, status);
  const buttons = choices.map((choice) =>
    button(CHOICE_WORDS[choice], () => void act(choice, person), {
      ...(LEADING.includes(choice) ? {} : { class: 'quiet' }),
    }),
  );
  content.replaceChildren(
    knownKey(parts, signer, person),
    choices.length === 0
      ? element('p', {}, 'In your roles there is nothing to decide here now.')
      : element('p', { class: 'actions' }, ...buttons),
    passkeys,
  );

  async function act(choice: Choice, who: string): Promise<void> {
    for (const each of buttons) each.disabled = true;
    try {
      const what =
        choice === 'evaluate'
          ? await askEvaluation(means.host, policy)
          : await askWhat(choice, liftable(policy, who, status));
      if (what !== undefined && signer !== undefined) await sign(room, signer, what, tell);
    } catch (error) {
      tell(messageOf(error), !isCoded(error, 'interrupted'));
    } finally {
      for (const each of buttons) each.disabled = false;
    }
  }
}

/** Signs what was said, has it recorded or published, and shows the page as it is then. */
async function sign(
  room: Room,
  signer: Signer,
  { said, report }: Asked,
  tell: Tell,
): Promise<void> {
  const { api, means, release, digest } = room;
  tell('Signing …');
  if (said.decision === 'publish') await publish(room, signer, said);
  else {
    const wish = { release, said, named: digest, lasts: DECISION_LASTS };
    // The report goes once it is signed for: whoever leaves a passkey's dialog has sent nothing.
    const sending: Signer = {
      ...signer,
      async sign(bytes) {
        const signature = await signer.sign(bytes);
        if (report !== undefined) await api.putReport(release, report);
        return signature;
      },
    };
    await decide(means, sending, wish, (draft) => askConsent(draft, report !== undefined));
  }
  tell('Recorded in the log.');
  location.reload();
}

async function publish({ api, means, release, digest }: Room, signer: Signer, said: Asked['said']) {
  const wish: Wish = { release, said, named: digest, lasts: INTENT_LASTS };
  const draft = await draftDecision(means, signingKey(signer), wish);
  await askConsent(draft);
  const intent = parseEnvelope(await signEnvelope(signer, draft.decision));
  await api.publish(release, digest, { intent });
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
