/**
 * How an endpoint of the native API is told: one value that mounts it on Express and
 * describes it in OpenAPI, so that what is documented is what is checked.
 */
import type { Request, Response, Router } from 'express';
import { CodedError } from '../../core/error.ts';
import { parseShape, type Shape } from '../../core/shape.ts';
import type { Caller } from '../../registry/registry.ts';
import type { Authenticator } from '../auth.ts';
import { discardBody, readJson } from '../body.ts';
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
  readonly caller: Caller | undefined;
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
  readonly body?: Shape<Body>;
  /** Bytes of a JSON body, where they may be more than usual. */
  readonly maxBodyBytes?: number;
  readonly query?: Shape<Query>;
  /** The shape of the JSON answer; an endpoint without one answers by itself, with `produces`. */
  readonly answer?: Shape<unknown>;
  readonly produces?: string;
  /** A body that is no JSON, by its media type. */
  readonly consumes?: string;
  readonly status?: number;
  run(call: Call<Body, Query>): Promise<unknown>;
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
      // Before the body is looked at: who asks for nothing allowed is told nothing else.
      const caller =
        it.token === 'required' ? await auth.required(request) : await auth.caller(request);
      if (caller !== undefined) notesOf(response).subject = caller.subject;
      const call = {
        params: paramsOf(request),
        query: it.query && parseShape(it.query, { ...request.query }, 'the query', 'usage'),
        body: it.body && (await readBody(it.body, request, it.maxBodyBytes)),
        caller,
        request,
        response,
      };
      const answer = await it.run(call);
      discardBody(request);
      if (it.answer === undefined) return;
      if (!response.hasHeader('Cache-Control')) response.set('Cache-Control', 'no-store');
      response.status(it.status ?? 200).json(answer);
    });
  }
}

async function readBody(shape: Shape<unknown>, request: Request, maxBytes: number | undefined) {
  return parseShape(shape, await readJson(request, maxBytes), 'the request body');
}

/** The caller of an endpoint that asks for a token. */
export function callerOf(call: Call<unknown, unknown>): Caller {
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

function paramsOf(request: Request): Record<string, string> {
  // A `{*path}` comes as the list of its segments, each decoded.
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join('/') : value,
    ]),
  );
}
