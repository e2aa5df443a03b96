/** The people of a gated namespace at their browsers: signing in, and keys that their browsers make. */
import type { Browser, Page } from 'playwright-core';
import type { Policy } from '../../src/core/release/policy.ts';
import type { PolicyKey } from '../../src/core/release/policy-key.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { GatedServer } from '../made/gated-served.ts';
import { SignedIn } from '../made/signed-in.ts';
import type { PersonName } from '../made/team.ts';
import { DESK_LIGHT, type Look, Visitor } from './browser.ts';

export const DRAFT = '/-/drafts/acme/tiny/v1.0';

/** Somebody in front of a draft's page. */
export interface Sitting {
  readonly visitor: Visitor;
  readonly page: Page;
}

export class Desk {
  readonly gated: GatedServer;
  readonly #browser: Browser;
  readonly #gate: Requirements;
  #version = 1;
  #people: Policy['people'] | undefined;

  private constructor(browser: Browser, gated: GatedServer, gate: Requirements) {
    this.#browser = browser;
    this.gated = gated;
    this.#gate = gate;
  }

  /** A registry with a draft of its own; by a name of this machine's where an address will not do. */
  static async open(browser: Browser, gate: Requirements, host?: string): Promise<Desk> {
    const gated = await GatedServer.start(gate, {}, host);
    await gated.push();
    return new Desk(browser, gated, gate);
  }

  /** Opens the draft as `who`, signed in through the link that `login --web` prints. */
  async sit(who: string, look: Look = DESK_LIGHT, visitor?: Visitor): Promise<Sitting> {
    const { served } = this.gated;
    const { token } = (await this.gated.api(who)).http;
    const come = visitor ?? (await Visitor.come(this.#browser, look));
    const page = await come.open(served.url + (await SignedIn.link(served, token!)));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/-/drafts');
    await page.goto(served.url + DRAFT);
    return { visitor: come, page };
  }

  /** The same, with a key of the browser's that stands in the policy. */
  async sitWithKey(who: PersonName, look?: Look): Promise<Sitting> {
    const sitting = await this.sit(who, look);
    const { page } = sitting;
    await this.enrol(who, await makeKey(page, who));
    await page.reload();
    await page.getByText(`you sign as ${who}`).waitFor();
    return sitting;
  }

  /** Puts a key into the policy, as its owners do. */
  async enrol(who: PersonName, key: PolicyKey): Promise<void> {
    this.#version += 1;
    const before = this.#people ?? this.gated.policy(this.#version).people;
    this.#people = before.map((person) =>
      person.id === who ? { ...person, keys: [...person.keys, key] } : person,
    );
    const next = this.gated.policy(this.#version, this.#gate, { people: this.#people });
    await this.gated.setPolicy(next, 'olga');
  }
}

/** Makes a key, or a passkey where that is what the button makes; gives what enrols it for `who`. */
export async function makeKey(
  page: Page,
  who: PersonName,
  name = 'Make a key in this browser',
): Promise<PolicyKey> {
  await page.getByRole('button', { name }).click();
  await page.getByLabel('You are').selectOption(who);
  await page.getByRole('button', { name: 'Show what enrols it' }).click();
  return JSON.parse(await page.locator('#decide pre').innerText());
}

/** What the dialog says is to be signed, by its names. */
export async function toSign(page: Page): Promise<Record<string, string>> {
  await page.getByRole('heading', { name: 'Sign exactly this?' }).waitFor();
  const names = await page.locator('dialog dt').allInnerTexts();
  const values = await page.locator('dialog dd').allInnerTexts();
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}
