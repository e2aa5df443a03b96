/** What the server says of itself is what it does. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Served } from '../made/served.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: unknown;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Readonly<Record<string, unknown>>;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: unknown }>> };
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: unknown }> }>>;
}
interface Description {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Keywords of JSON Schema 2020-12 that our descriptions use. */
const KEYWORDS = new Set([
  '$ref',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'format',
  'description',
]);
const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'];

let served: Served;
let description: Description;
let operations: (Operation & { readonly path: string; readonly method: string })[];
beforeAll(async () => {
  served = await Served.start();
  description = (await (await served.fetch('/api/v1/openapi.json')).json()) as Description;
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
});
afterAll(() => served.stop());

describe('the OpenAPI description', () => {
  test('is of version 3.1 and says where the API is', () => {
    expect(description.openapi).toBe('3.1.0');
    expect(description.servers).toEqual([{ url: `${served.url}/api/v1` }]);
  });

  test('has the routes that are promised, and no others', () => {
    const promised = operations.map(({ method, path }) => `${method} ${path}`).sort();
    expect(promised).toMatchInlineSnapshot(`
[
  "delete /drafts/{namespace}/{name}/{version}",
  "get /advisories/{index}",
  "get /announcements/{index}",
  "get /drafts/{namespace}",
  "get /drafts/{namespace}/{name}/{version}",
  "get /drafts/{namespace}/{name}/{version}/decisions",
  "get /drafts/{namespace}/{name}/{version}/manifest.json",
  "get /drafts/{namespace}/{name}/{version}/reports/{digest}",
  "get /namespaces/{namespace}/head",
  "get /namespaces/{namespace}/policies",
  "get /namespaces/{namespace}/policy",
  "get /namespaces/{namespace}/usage",
  "get /releases",
  "get /releases/{namespace}/{name}",
  "get /releases/{namespace}/{name}/history",
  "get /releases/{namespace}/{name}/{version}",
  "get /releases/{namespace}/{name}/{version}/chunks/{path}",
  "get /releases/{namespace}/{name}/{version}/decisions.json",
  "get /releases/{namespace}/{name}/{version}/entry",
  "get /releases/{namespace}/{name}/{version}/files/{path}",
  "get /releases/{namespace}/{name}/{version}/intent.dsse",
  "get /releases/{namespace}/{name}/{version}/manifest.json",
  "get /releases/{namespace}/{name}/{version}/model-sig.tlog-proof",
  "get /releases/{namespace}/{name}/{version}/model.sig",
  "get /releases/{namespace}/{name}/{version}/release.dsse",
  "get /releases/{namespace}/{name}/{version}/release.tlog-proof",
  "get /releases/{namespace}/{name}/{version}/reports/{digest}",
  "get /releases/{namespace}/{name}/{version}/tensors.json",
  "get /releases/{namespace}/{name}/{version}/verdict.dsse",
  "get /voids/{index}",
  "post /advisories",
  "post /announcements",
  "post /commitments",
  "post /device",
  "post /device/token",
  "post /drafts/{namespace}/{name}/{version}/decisions",
  "post /drafts/{namespace}/{name}/{version}/files",
  "post /drafts/{namespace}/{name}/{version}/publish",
  "post /drafts/{namespace}/{name}/{version}/seal",
  "post /drafts/{namespace}/{name}/{version}/uploads/{upload}/complete",
  "post /drafts/{namespace}/{name}/{version}/uploads/{upload}/parts",
  "post /drafts/{namespace}/{name}/{version}/uploads/{upload}/requests",
  "post /namespaces",
  "post /namespaces/{namespace}/policy",
  "post /sign-in-links",
  "post /token",
  "post /voids",
  "put /drafts/{namespace}/{name}/{version}",
  "put /drafts/{namespace}/{name}/{version}/reports",
  "put /drafts/{namespace}/{name}/{version}/uploads/{upload}/parts/{number}",
]
`);
  });

  test('gives every operation a name of its own and all parameters of its path', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, parameters } of operations) {
      const named = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name);
      const described = parameters.filter((it) => it.in === 'path').map(({ name }) => name);
      expect([path, described]).toEqual([path, named]);
    }
  });

  test('every operation answers, as itself and not as nothing', async () => {
    for (const { path, method, operationId, security } of operations) {
      const url = path.replaceAll(/\{([a-z]+)\}/g, (_, name) => EXAMPLES[name as string] ?? 'x');
      await served.fetch(`/api/v1${url}`, { method: method.toUpperCase() });
      const line = JSON.parse(served.logged.at(-1)!);
      const route = line.route.replace('/api/v1', '').replaceAll('{*', '{');
      expect([operationId, route]).toEqual([operationId, path]);
      if (security !== undefined) expect([operationId, line.status]).toEqual([operationId, 401]);
    }
  });

  test('every operation that takes a token says so, and no other one does', async () => {
    const open = operations.filter(({ security }) => security === undefined);
    const writes = open.filter(({ method }) => method !== 'get');
    // It is asked by those who have no token yet.
    expect(writes.map(({ operationId }) => operationId)).toEqual([
      'exchangeToken',
      'beginDeviceLogin',
      'takeDeviceToken',
    ]);
    expect(open.some(({ path }) => path.startsWith('/drafts'))).toBe(false);
  });

  test('holds well-formed JSON Schemas', () => {
    for (const { schema } of bodies()) checkSchema(schema);
  });

  test('says of every value what it is', () => {
    const said = [...parameters(), ...bodies()].flatMap(({ at, schema }) => parts(schema, at));
    expect(said.length).toBeGreaterThan(200);
    for (const { at, schema } of said) {
      expect([at, Object.keys(schema)]).not.toEqual([at, []]);
      expect([at, schema.type]).not.toEqual([at, 'number']);
    }
  });

  test('says how digests are written, how large a count may be and what an instant is', () => {
    const said = bodies().flatMap(({ at, schema }) => parts(schema, at));
    const named = (...names: string[]) =>
      said.filter(({ at }) => names.includes(at.split('.').at(-1)!));
    const digests = named('digest', 'sha256', 'root', 'former[]');
    expect(digests.length).toBeGreaterThan(14);
    for (const { at, schema } of digests) {
      const pattern = '^sha256:[0-9a-f]{64}$';
      expect([at, schema]).toEqual([at, { type: 'string', pattern }]);
    }
    const counts = said.filter(({ schema }) => schema.type === 'integer');
    expect(counts.length).toBeGreaterThan(20);
    for (const { at, schema } of counts) {
      const range = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
      expect([at, schema]).toEqual([at, range]);
    }
    const times = named('time', 'sessionExpires');
    expect(times.length).toBeGreaterThan(5);
    for (const { at, schema } of times) {
      expect([at, schema]).toEqual([at, { type: 'string', format: 'date-time' }]);
    }
  });
});

interface Said {
  /** `operation answer.field[].field`. */
  readonly at: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** The schema of every body that is asked for or answered. */
function bodies(): Said[] {
  return operations.flatMap((operation) => {
    const contents = [operation.requestBody, ...Object.values(operation.responses)];
    return contents
      .flatMap((content) => Object.values(content?.content ?? {}))
      .map(({ schema }) => ({ at: operation.operationId, schema: schema as Said['schema'] }));
  });
}

function parameters(): Said[] {
  return operations.flatMap(({ operationId, parameters }) =>
    parameters.map(({ name, schema }) => ({ at: `${operationId}.${name}`, schema })),
  );
}

/** The schema and every one inside it. */
function parts(schema: Said['schema'], at: string): Said[] {
  const fields = Object.entries((schema.properties ?? {}) as Record<string, Said['schema']>);
  const choices = (schema.anyOf ?? schema.oneOf ?? []) as Said['schema'][];
  return [
    { at, schema },
    ...fields.flatMap(([name, field]) => parts(field, `${at}.${name}`)),
    ...choices.flatMap((choice) => parts(choice, at)),
    ...(schema.items === undefined ? [] : parts(schema.items as Said['schema'], `${at}[]`)),
  ];
}

const EXAMPLES: Readonly<Record<string, string>> = {
  namespace: 'acme',
  name: 'tiny',
  version: 'v1',
  index: '3',
  number: '1',
};

function checkSchema(schema: unknown): void {
  expect(schema).toEqual(expect.any(Object));
  const it = schema as Record<string, unknown>;
  for (const keyword of Object.keys(it)) expect(KEYWORDS).toContain(keyword);
  if ('type' in it) expect(TYPES).toContain(it.type);
  if ('pattern' in it) expect(() => new RegExp(it.pattern as string, 'u')).not.toThrow();
  const properties = Object.entries((it.properties ?? {}) as Record<string, unknown>);
  const names = properties.map(([name]) => name);
  for (const required of (it.required ?? []) as string[]) expect(names).toContain(required);
  const below = [...properties.map(([, sub]) => sub), it.items];
  for (const sub of [...below, ...((it.anyOf ?? it.oneOf ?? []) as unknown[])]) {
    if (sub !== undefined) checkSchema(sub);
  }
}
