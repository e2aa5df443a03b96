import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shape, words } from '../../../src/server/pages/views/shape.ts';
import { statusOf } from '../../../src/server/problem.ts';
import { Served } from '../../made/served.ts';

let served: Served;
let text: string;
let description: {
  paths: Record<string, Record<string, { operationId: string; summary: string; security?: [] }>>;
};
beforeAll(async () => {
  served = await Served.start();
  const response = await served.fetch('/-/api', { headers: { Accept: 'text/html' } });
  expect(response.status).toBe(200);
  text = await response.text();
  description = (await (await served.fetch('/api/v1/openapi.json')).json()) as typeof description;
});
afterAll(() => served.stop());

/** What stands on the page of one operation. */
function operationOf(id: string): string {
  const [, rest = ''] = text.split(`id="op-${id}">`);
  return rest.split('</details>')[0] ?? '';
}

describe('the page of the API', () => {
  test('has every operation once, with its method, its path, and whether it takes a token', () => {
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const [method, { operationId, security }] of Object.entries(methods)) {
        const told = operationOf(operationId);
        expect(text.split(`id="op-${operationId}">`)).toHaveLength(2);
        expect(told).toContain(`<code class="method">${method.toUpperCase()}</code>`);
        expect(told).toContain(`<code class="route">${path}</code>`);
        expect([operationId, told.includes('>token</span>')]).toEqual([
          operationId,
          security !== undefined,
        ]);
      }
    }
  });

  test('gives an example that can be typed', async () => {
    const [, address = ''] = /curl &quot;([^&]+)&quot;/.exec(operationOf('listReleases')) ?? [];
    expect(await (await fetch(address)).json()).toEqual({ releases: [] });
    expect(operationOf('publish')).toContain('Authorization: Bearer $WEIGHHOUSE_TOKEN');
    expect(operationOf('publish')).toContain('--request POST');
  });

  test('tells the parts of requests and of answers', () => {
    const told = operationOf('sealDraft').replaceAll(/<[^>]+>/g, '');
    expect(told).toContain('nonce 64 hex digits');
    expect(told).toContain('paths a list of: text');
    expect(told).toContain('202');
    expect(operationOf('putPart')).toContain('with nothing in it');
  });

  test('explains every code with its status', () => {
    for (const [, code, status] of text.matchAll(
      /<td><code>([a-z-]+)<\/code><\/td><td class="figure">(\d+)<\/td>/g,
    )) {
      expect([code, Number(status)]).toEqual([code, statusOf(code as never)]);
    }
    expect(text).toContain('<code>gate-unmet</code>');
  });

  test('has no script and no style in itself, and nothing from elsewhere', () => {
    expect(text).not.toMatch(/<script(?![^>]* src="\/-\/)|<style|\sstyle=|\son\w+=/);
    expect(text).not.toMatch(/ src="(?!\/-\/)/);
  });
});

describe('a shape in words', () => {
  test.each([
    [{ type: 'string', maxLength: 200 }, 'text of at most 200 characters'],
    [{ type: 'string', format: 'binary' }, 'bytes'],
    [
      { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 1 },
      'exactly 1 of: a whole number',
    ],
    [{ type: 'array', items: { type: 'string' }, minItems: 1 }, 'a list, at least 1, of: text'],
    [{ anyOf: [{ type: 'null' }, { const: true }] }, 'null or true'],
    [{ enum: ['a', 'b'] }, '&quot;a&quot;, &quot;b&quot;'],
    [{}, 'any JSON'],
  ])('%j', (schema, said) => {
    expect(
      words(schema)
        .toString()
        .replaceAll(/<[^>]+>/g, ''),
    ).toBe(said);
  });

  test('escapes what it is given, and tells what may be left out', () => {
    const made = shape({
      type: 'object',
      properties: { a: { type: 'string', description: '<b>' }, b: { type: 'boolean' } },
      required: ['a'],
    }).toString();
    expect(made).toContain('<li><code>a</code> text: &lt;b&gt;</li>');
    expect(made).toContain(
      '<code>b</code> <span class="small">may be left out,</span> true or false',
    );
  });
});
