/** The OpenAPI 3.1 description of the native API, made from the endpoints themselves. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type { Endpoint } from './api/endpoint.ts';

type Described = Record<string, unknown>;

/** A JSON Schema, as far as our shapes make use of it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly description?: string;
}

/** Media types, each with the shape of what is of that type. */
export type DescribedContent = Readonly<Record<string, { readonly schema?: Schema }>>;

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  /** Absent where no token is asked for. */
  readonly security?: readonly unknown[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query';
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly required: true; readonly content: DescribedContent };
  /** By status, and `default`; an answer that many give stands elsewhere, by `$ref`. */
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly $ref?: string;
        readonly description?: string;
        readonly content?: DescribedContent;
      }
    >
  >;
}

export interface ApiDescription {
  readonly servers: readonly [{ readonly url: string }];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly [member: string]: unknown;
}

/** The description of `endpoints`, which lie below `url`. */
export function describeApi(endpoints: readonly Endpoint[], url: string): ApiDescription {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const it of endpoints) {
    const path = it.path.replaceAll('{*', '{');
    paths[path] = { ...paths[path], [it.method]: describe(it) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weighhouse',
      version: '1',
      description: 'Publish, download and audit signed releases of model weights.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: PROBLEM },
      responses: { TooOften: TOO_OFTEN, TooMuch: TOO_MUCH },
    },
  };
}

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds until it is worth trying', schema: { type: 'integer' } },
};
const problem = (code: string) => ({
  'application/problem+json': {
    schema: { $ref: '#/components/schemas/Problem' },
    example: { code },
  },
});
const TOO_OFTEN = {
  description: 'This caller asks too often: see RateLimit and RateLimit-Policy',
  headers: RETRY_AFTER,
  content: problem('rate-limited'),
};
const TOO_MUCH = {
  description: 'The server, or the log, has too much to do at once, or is being stopped',
  headers: RETRY_AFTER,
  content: problem('overloaded'),
};

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457. `code` is stable.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    details: { type: 'object' },
  },
};

function describe(it: Endpoint): Operation {
  const status = String(it.status ?? 200);
  const body = it.consumes ?? (it.body === undefined ? undefined : 'application/json');
  return {
    operationId: it.id,
    summary: it.summary,
    ...(it.token === 'required' ? { security: [{ token: [] }] } : {}),
    parameters: [...pathParameters(it.path), ...queryParameters(it)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [body]: { schema: schemaOf(it.body) ?? BINARY } },
          },
        }),
    responses: {
      [status]: {
        description: 'Done',
        ...(status === '204'
          ? {}
          : {
              content: {
                [it.produces ?? 'application/json']: { schema: schemaOf(it.answer) ?? BINARY },
              },
            }),
      },
      ...(it.refusal === undefined
        ? {}
        : {
            [it.refusal.status]: {
              description: 'Refused',
              content: { 'application/json': { schema: schemaOf(it.refusal.shape) ?? BINARY } },
            },
          }),
      ...(it.rate === 'uncounted' ? {} : { 429: { $ref: '#/components/responses/TooOften' } }),
      503: { $ref: '#/components/responses/TooMuch' },
      default: {
        description: 'A problem',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  };
}

const BINARY = { type: 'string', format: 'binary' };

function pathParameters(path: string): Operation['parameters'] {
  return [...path.matchAll(/\{\*?([a-z]+)\}/g)].map(([, name]) => ({
    name: name!,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(it: Endpoint): Operation['parameters'] {
  const schema = schemaOf(it.query);
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: 'query',
    required: schema?.required?.includes(name) ?? false,
    schema: property,
  }));
}

/** JSON Schema cannot say everything that a shape checks; what it cannot is left out. */
function schemaOf(shape: Endpoint['body']): Schema | undefined {
  if (shape === undefined) return undefined;
  const schema = toJsonSchema(shape as Parameters<typeof toJsonSchema>[0], {
    errorMode: 'ignore',
    typeMode: 'input',
  });
  const { $schema, ...rest } = schema as Described;
  return rest as Schema;
}
