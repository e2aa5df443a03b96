/**
 * How an endpoint of the native API is told: one value that mounts it on Express and
 * describes it in OpenAPI, so that what is documented is what is checked.
 */
import type { Request, Response, Router } from 'express';
import { CodedError } from '../../core/error.ts';
import { parseShape, type Shape } from '../../core/shape.ts';
import { refuseCiJob } from '../../registry/access.ts';
import type { Authenticator, Identified } from '../auth.ts';
import { discardBody, FORM, readForm, readJson } from '../body.ts';
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

/** Mounts endpoints on a router. */
export function mount(router: Router, endpoints: readonly Endpoint[], auth: Authenticator): void {
  for (const it of endpoints) {
    const path = it.path.replaceAll('{*', '*').replaceAll('{', ':').replaceAll('}', '');
    router[it.method](path, named(API_PATH + it.path), async (request, response) => {
      try {
        await answer(it, auth, request, response);
      } catch (error) {
        if (it.refusal === undefined) throw error;
        it.refusal.send(request, response, error);
      }
    });
  }
}

async function answer(
  it: Endpoint,
  auth: Authenticator,
  request: Request,
  response: Response,
): Promise<void> {
  // Before the body is looked at: who asks for nothing allowed is told nothing else.
  const caller =
    it.token === 'required' ? await auth.required(request) : await auth.caller(request);
  if (caller !== undefined) notesOf(response).subject = caller.subject;
  if (caller !== undefined && it.token === 'required' && !it.ciJobs) refuseCiJob(caller);
  const call = {
    params: paramsOf(request),
    query: it.query && parseShape(it.query, { ...request.query }, 'the query', 'usage'),
    body: it.body && (await readBody(it, it.body, request)),
    caller,
    request,
    response,
  };
  const answered = await it.run(call);
  discardBody(request);
  if (it.answer === undefined) return;
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
