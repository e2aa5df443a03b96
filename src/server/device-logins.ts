/**
 * Letting machines in: the device authorization grant (RFC 8628). A machine asks for two codes; a
 * person who is signed in to the pages types the short one, sees who asks, and says yes or no; the
 * machine polls with the long one and takes a token, once.
 *
 * Any server answers any of these requests, so what they must know of each other is in the store, in
 * three documents that are written once each, below `private/devices/<window>-<fingerprint>/`:
 *
 *     asked    who asks, since when
 *     answer   what a person said: the first one counts
 *     taken    that the token was given: nobody else gets one
 *
 * All of it ends after ten minutes, and is swept by whoever asks next. What a machine gets is never more
 * than the session had that it was let in from: the same person, no other role, no longer time, and
 * ended by the same revocation.
 */
import type { Logger } from 'pino';
import * as v from 'valibot';
import { BoundedMap } from '../core/bounded-map.ts';
import { CodedError } from '../core/error.ts';
import { type Namespace, parseNamespace } from '../core/release/name.ts';
import { count, instant, prose } from '../core/shape.ts';
import type { TokenKey } from '../keyring/jwt.ts';
import { issueDeviceCode, openDeviceCode } from '../keyring/login-code.ts';
import type { Session } from '../keyring/session.ts';
import {
  issueLoginToken,
  LOGIN_TOKEN_SECONDS,
  TOKEN_ROLES,
  type TokenRole,
} from '../keyring/token.ts';
import { form, load } from '../registry/documents/form.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import { oauthError } from './api/oauth.ts';
import type { Authenticator } from './auth.ts';
import { fingerprintOf, makeUserCode, parseUserCode, type UserCode } from './user-code.ts';

/** Seconds within which a person lets a machine in. */
export const DEVICE_SECONDS = 600;
/** Seconds between two polls. */
export const POLL_SECONDS = 5;
/** Codes that are good at the same time: each makes it easier to guess one. */
export const MAX_PENDING = 500;
/** Characters of a machine's name. */
export const MAX_MACHINE = 64;
/** Machines of which it is remembered when they polled last. */
const MAX_POLLING = 5_000;

const roles = v.array(v.picklist(TOKEN_ROLES));

const askedForm = form(
  'a device that asks',
  v.strictObject({
    v: v.literal(1),
    machine: prose(MAX_MACHINE),
    address: v.string(),
    time: instant,
    /** Seconds since 1970. */
    expires: count,
    roles: v.exactOptional(roles),
  }),
);

const answerForm = form(
  'an answer to a device',
  v.variant('verdict', [
    v.strictObject({ v: v.literal(1), verdict: v.literal('refused') }),
    v.strictObject({
      v: v.literal(1),
      verdict: v.literal('let-in'),
      subject: v.string(),
      roles,
      ns: v.exactOptional(v.string()),
      parent: v.string(),
      session: v.string(),
      /** Seconds since 1970 at which the session ends. */
      until: count,
    }),
  ]),
);

/** What somebody's machine says of itself, and what was seen of it. */
export interface Asking {
  readonly machine: string;
  readonly address: string;
  /** In place of all that the person has. */
  readonly roles?: readonly TokenRole[];
}

/** A machine that waits to be let in. */
export interface Waiting extends Asking {
  readonly code: UserCode;
  readonly time: string;
}

/** What a machine is given, or would be. */
export interface LoginGrant {
  readonly subject: string;
  readonly namespace: Namespace | undefined;
  readonly roles: readonly TokenRole[];
  /** Seconds since 1970. */
  readonly expires: number;
}

interface Parts {
  readonly store: Store;
  readonly tokens: TokenKey;
  readonly auth: Authenticator;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Other than usual only in tests. */
  readonly pollSeconds?: number;
}

export class DeviceLogins {
  readonly pollSeconds: number;
  readonly #parts: Parts;
  readonly #polled = new BoundedMap<string, number>(MAX_POLLING);

  constructor(parts: Parts) {
    this.#parts = parts;
    this.pollSeconds = parts.pollSeconds ?? POLL_SECONDS;
  }

  /** Makes the two codes of a machine. Throws `overloaded` where too many wait already. */
  async begin(asking: Asking): Promise<{ readonly deviceCode: string; readonly code: UserCode }> {
    const { store, tokens, clock } = this.#parts;
    await this.#makeRoom();
    const now = clock();
    const expires = Math.floor(now / 1000) + DEVICE_SECONDS;
    const asked = askedForm.format({
      ...{ v: 1, machine: asking.machine, address: asking.address },
      ...{ time: new Date(now).toISOString(), expires },
      ...(asking.roles && { roles: [...asking.roles] }),
    });
    for (;;) {
      const code = makeUserCode();
      const fingerprint = fingerprintOf(code);
      const key = keys.device(windowOf(expires), fingerprint, 'asked');
      if ((await store.create(key, asked)) === 'exists') continue;
      return { code, deviceCode: await issueDeviceCode(tokens, { fingerprint, expires }, now) };
    }
  }

  /** The machine that shows the code which somebody typed. Throws `not-found`: which of all reasons is nobody's to know. */
  async look(text: string): Promise<Waiting> {
    const { code, asked } = await this.#find(text);
    const { machine, address, time, roles: asks } = asked;
    return { code, machine, address, time, ...(asks && { roles: asks }) };
  }

  /** What the machine would get from that session. Throws `conflict` where that is nothing. */
  grantOf({ subject, namespace, roles: has, until }: Session, { roles: asks }: Asking): LoginGrant {
    const given = has.filter((role) => asks === undefined || asks.includes(role));
    if (given.length === 0) {
      throw new CodedError(
        'conflict',
        `it asks for ${asks?.join(', ')}, and you have none of that`,
      );
    }
    const now = Math.floor(this.#parts.clock() / 1000);
    return {
      ...{ subject, namespace, roles: given },
      expires: Math.min(until, now + LOGIN_TOKEN_SECONDS),
    };
  }

  /** Answers a machine, once. Throws `not-found`, `conflict`. */
  async answer(text: string, session: Session, isLetIn: boolean): Promise<void> {
    const { store, logger } = this.#parts;
    const { code, asked } = await this.#find(text);
    const said = isLetIn ? this.#letIn(session, asked) : answerForm.format(REFUSED);
    const key = keys.device(windowOf(asked.expires), fingerprintOf(code), 'answer');
    if ((await store.create(key, said)) === 'exists') throw noSuchCode();
    const { machine, address } = asked;
    const about = { subject: session.subject, machine, address };
    logger.info(about, isLetIn ? 'a device was let in' : 'a device was refused');
  }

  /**
   * The token of a machine that was let in. Throws `usage` with the word of RFC 8628 (section 3.5) in
   * `details.error` for whatever is not so, or not yet.
   */
  async take(deviceCode: string): Promise<LoginGrant & { readonly token: string }> {
    const { store, tokens, auth, logger, clock } = this.#parts;
    const { id, fingerprint, expires } = await openDeviceCode(tokens, deviceCode, clock());
    if (clock() / 1000 >= expires) throw oauthError('expired_token', 'nobody let it in in time');
    const window = windowOf(expires);
    const held = await load(store, keys.device(window, fingerprint, 'answer'), answerForm);
    if (held === undefined) throw this.#notYet(id);
    if (held.value.verdict === 'refused') throw oauthError('access_denied', 'the person said no');
    const { subject, roles: given, ns, parent, session, until } = held.value;
    await auth.refuseRevoked(parent);
    await auth.refuseRevoked(session);
    const taken = keys.device(window, fingerprint, 'taken');
    if ((await store.create(taken, new Uint8Array(1))) === 'exists') {
      throw oauthError('invalid_grant', 'the token was taken before');
    }
    const namespace = ns === undefined ? undefined : parseNamespace(ns);
    const now = clock();
    const seconds = Math.min(LOGIN_TOKEN_SECONDS, until - Math.floor(now / 1000));
    if (seconds <= 0) throw oauthError('access_denied', 'who let it in is signed out by now');
    const grant = { subject, roles: given, namespace };
    const { token, id: tokenId } = await issueLoginToken(
      tokens,
      { ...grant, parent },
      seconds,
      now,
    );
    logger.info({ subject, token: tokenId }, 'a device took its token');
    return { ...grant, token, expires: Math.floor(now / 1000) + seconds };
  }

  #letIn(session: Session, asking: Asking): Uint8Array {
    const { subject, namespace, roles: given } = this.grantOf(session, asking);
    const { parent, id, until } = session;
    return answerForm.format({
      ...{ v: 1, verdict: 'let-in', subject, roles: [...given] },
      ...(namespace === undefined ? {} : { ns: namespace }),
      ...{ parent, session: id, until },
    });
  }

  /** What nobody has answered yet, and has not ended. Throws `not-found`. */
  async #find(text: string) {
    const { store, clock } = this.#parts;
    const code = parseUserCode(text);
    if (code === undefined) throw noSuchCode();
    const fingerprint = fingerprintOf(code);
    const now = Math.floor(clock() / 1000);
    // Codes end within ten minutes: in this window, or in the next.
    for (const window of [windowOf(now), windowOf(now) + 1]) {
      const held = await load(store, keys.device(window, fingerprint, 'asked'), askedForm);
      if (held === undefined || held.value.expires <= now) continue;
      const answer = await store.size(keys.device(window, fingerprint, 'answer'));
      if (answer === undefined) return { code, asked: held.value };
    }
    throw noSuchCode();
  }

  /** Each server counts for itself: a machine that is told two things by two waits longer. */
  #notYet(id: string): CodedError {
    const now = this.#parts.clock();
    const before = this.#polled.get(id) ?? Number.NEGATIVE_INFINITY;
    this.#polled.set(id, now);
    return now - before < this.pollSeconds * 1000
      ? oauthError('slow_down', `poll every ${this.pollSeconds} seconds`)
      : oauthError('authorization_pending', 'nobody has answered yet');
  }

  /** Sweeps what has ended for a whole window, and counts the others. */
  async #makeRoom(): Promise<void> {
    const { store, clock } = this.#parts;
    const present = windowOf(Math.floor(clock() / 1000));
    let pending = 0;
    for await (const key of store.list(prefixes.devices())) {
      if (windowIn(key) < present) await store.delete(key);
      else if (key.endsWith('/asked')) pending++;
    }
    if (pending < MAX_PENDING) return;
    throw new CodedError(
      'overloaded',
      'too many machines wait to be let in; try again in some minutes',
      { retryAfterSeconds: 60 },
    );
  }
}

const REFUSED = { v: 1, verdict: 'refused' } as const;

function windowOf(seconds: number): number {
  return Math.floor(seconds / DEVICE_SECONDS);
}

/** What has another name was not written by us, and stays. */
function windowIn(key: Key): number {
  return Number(/^private\/devices\/([0-9]+)-/.exec(key)?.[1] ?? Number.POSITIVE_INFINITY);
}

function noSuchCode(): CodedError {
  return new CodedError(
    'not-found',
    'no machine waits with this code: it was mistyped, or was answered, or is older than ten minutes',
  );
}
