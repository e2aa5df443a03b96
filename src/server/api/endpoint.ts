/**
 * How an endpoint of the native API is told: one value that mounts it on Express and
 * describes it in OpenAPI, so that what is documented is what is checked.
 */
import type { Request, Response, Router } from 'express';
import { CodedError } from '../../core/error.ts';
import { parseShape, type Shape } from '../../core/shape.ts';
import { refuseCiJob } from '../../registry/access.ts';
import type { Admission } from '../admission.ts';
import type { Authenticator, Identified } from '../auth.ts';
import { discardBody, FORM, readForm, readJson } from '../body.ts';
import type { Load } from '../loads.ts';
import { addressOf, type Rate, type RateLimits } from '../rate-limits.ts';
import { named, notesOf } from '../request-log.ts';

/** Where the native API lies. */
export const API_PATH = '/api/v1';

/** What an endpoint gets. */
export interface Call<Body, Query> {
  /** Path parameters, as the route names them, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Undefined only where the endpoint asks for no token and none was sent. */
  readonly caller: Identified | undefined;
  readonly request: Request;
  readonly response: Response;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** One endpoint below `/api/v1`. */
export interface Endpoint<Body = unknown, Query = unknown> {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** With `{parameter}` for one segment and `{*parameter}` for the rest of the path. */
  readonly path: string;
  /** `operationId` in OpenAPI. */
  readonly id: string;
  readonly summary: string;
  readonly token: 'required' | 'none';
  /** True for what a push takes. A CI job's token opens nothing else that asks for one. */
  readonly ciJobs?: true;
  /** The shape of the body: JSON, or a form where `consumes` says so. */
  readonly body?: Shape<Body>;
  /** Bytes of that body, where they may be other than usual. */
  readonly maxBodyBytes?: number;
  readonly query?: Shape<Query>;
  /** The shape of the JSON answer; an endpoint without one answers by itself, with `produces`. */
  readonly answer?: Shape<unknown>;
  readonly produces?: string;
  /** The media type of a body that is no JSON. */
  readonly consumes?: string;
  readonly status?: number;
  /** What it is to the server; by default `read` for GET, else `write`. */
  readonly load?: Load;
  /** What it is counted as; by default `read` for GET, else `write`. */
  readonly rate?: Rate | 'uncounted';
  /** How an endpoint refuses that must do so in another form than a problem document. */
  readonly refusal?: Refusal;
  run(call: Call<Body, Query>): Promise<unknown>;
}

export interface Refusal {
  readonly status: number;
  /** The shape of its JSON. */
  readonly shape: Shape<unknown>;
  /** Answers, or throws what is to be a problem document after all. */
  send(request: Request, response: Response, error: unknown): void;
}

/**
 * Brings the index up to what was just committed, so that whoever was told of it finds it in
 * lists and by digest. Never fails: what is committed stays acknowledged.
 */
export type CatchUp = () => Promise<void>;

/** Keeps the types of body and query together; does nothing else. */
export function endpoint<Body = unknown, Query = unknown>(
  it: Endpoint<Body, Query>,
): Endpoint<unknown, unknown> {
  return it as Endpoint<unknown, unknown>;
}

/** What every request goes through before its endpoint gets it. */
export interface Doors {
  readonly auth: Authenticator;
  readonly rates: RateLimits;
  readonly admission: Admission;
}

/** Mounts endpoints on a router. */
export function mount(router: Router, endpoints: readonly Endpoint[], doors: Doors): void {
  for (const it of endpoints) {
    const path = it.path.replaceAll('{*', '*').replaceAll('{', ':').replaceAll('}', '');
    router[it.method](path, named(API_PATH + it.path), async (request, response) => {
      try {
        await answer(it, doors, request, response);
      } catch (error) {
        if (it.refusal === undefined) throw error;
        it.refusal.send(request, response, error);
      }
    });
  }
}

async function answer(
  it: Endpoint,
  doors: Doors,
  request: Request,
  response: Response,
): Promise<void> {
  // Before the body is looked at: who asks for nothing allowed is told nothing else.
  const caller = await identify(it, doors, request, response);
  if (caller !== undefined) notesOf(response).subject = caller.subject;
  if (caller !== undefined && it.token === 'required' && !it.ciJobs) refuseCiJob(caller);
  const name = caller?.tokenId ?? addressOf(request);
  const usual = it.method === 'get' ? 'read' : 'write';
  const { rate = usual, load = usual } = it;
  if (rate !== 'uncounted') await doors.rates.take(rate, name, request, response);
  const turn = { load, caller: name, request, response };
  await doors.admission.run(turn, (signal) => respond(it, { caller, request, response, signal }));
}

/** Who asks. Whoever is refused is counted by address: it is nobody we know. */
async function identify(
  it: Endpoint,
  { auth, rates }: Doors,
  request: Request,
  response: Response,
) {
  try {
    return it.token === 'required' ? await auth.required(request) : await auth.caller(request);
  } catch (error) {
    await rates.take('read', addressOf(request), request, response);
    throw error;
  }
}

async function respond(
  it: Endpoint,
  asked: Pick<Call<unknown, unknown>, 'caller' | 'request' | 'response' | 'signal'>,
): Promise<void> {
  const { request, response, signal } = asked;
  const answered = await it.run({
    ...asked,
    params: paramsOf(request),
    query: it.query && parseShape(it.query, { ...request.query }, 'the query', 'usage'),
    body: it.body && (await readBody(it, it.body, request)),
  });
  discardBody(request);
  // Whoever waited was told something else meanwhile.
  if (it.answer === undefined || signal.aborted) return;
  if (!response.hasHeader('Cache-Control')) response.set('Cache-Control', 'no-store');
  response.status(it.status ?? 200).json(answered);
}

async function readBody(it: Endpoint, shape: Shape<unknown>, request: Request) {
  const read = it.consumes === FORM ? readForm : readJson;
  return parseShape(shape, await read(request, it.maxBodyBytes), 'the request body');
}

/** The caller of an endpoint that asks for a token. */
export function callerOf(call: Call<unknown, unknown>): Identified {
  if (call.caller === undefined)
    throw new CodedError('internal', 'an endpoint with a caller asks for no token');
  return call.caller;
}

/** The parameter `name` of the path. */
export function param(call: Call<unknown, unknown>, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new CodedError('internal', `the route has no parameter ${name}`);
  return value;
}

/** An index of the log, as a path names it. */
export function indexOf(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text))
    throw new CodedError('usage', 'an index is a whole number');
  return Number(text);
}

function paramsOf(request: Request): Record<string, string> {
  // A `{*path}` comes as the list of its segments, each decoded.
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join('/') : value,
    ]),
  );
}
