/** The native API, from the description that it gives of itself. */
import type { ErrorCode } from '../../../core/error.ts';
import { API_PATH } from '../../api/endpoint.ts';
import type { ApiDescription, DescribedContent, Operation } from '../../openapi.ts';
import { statusOf } from '../../problem.ts';
import { API_PAGE } from '../addresses.ts';
import { ERROR_WORDS } from '../error-words.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import { command } from '../pieces.ts';
import { shape, words } from './shape.ts';

interface Told extends Operation {
  readonly method: string;
  readonly path: string;
}

/** By the first part of their path, in the order in which most people need them. */
const SUBJECTS: readonly (readonly [first: string, title: string, about: string])[] = [
  ['releases', 'Releases', 'What is published. Open to everybody.'],
  [
    'drafts',
    'Drafts',
    'A release before it is one: declared, uploaded, sealed, decided about, published.',
  ],
  ['commitments', 'Commitments', 'Decisions are logged blindly before they are opened.'],
  ['namespaces', 'Namespaces', 'Who may release what, and after which decisions.'],
  ['advisories', 'Advisories', 'What is said of a release after it was published.'],
  ['announcements', 'Announcements', 'What is said in public of a release that is not there yet.'],
  ['voids', 'Voids', 'Commitments that nobody opens, declared void by the owners.'],
  ['sign-in-links', 'Signing in', 'How a person signs in to the pages of their drafts.'],
  ['device', 'Devices', 'How a person lets a machine in that has no token (RFC 8628).'],
  ['token', 'Tokens', 'How a CI job gets a token that pushes and seals.'],
];

export function apiView(description: ApiDescription): Page {
  const [{ url }] = description.servers;
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Told => ({ ...operation, method, path })),
  );
  const subjects = SUBJECTS.map(([first, title, about]) => {
    const its = operations.filter(({ path }) => path.split('/')[1] === first);
    return { first, title, about, operations: its };
  });
  return {
    title: 'API',
    description:
      'How programs publish, download and audit releases: every request and every answer.',
    path: API_PAGE,
    body: html`
<h1>API</h1>
<p class="lead">All that the command line does, it does by these requests. What is published can be read without an account; what changes anything takes a bearer token.</p>
<p>All paths are below <code>${url}</code>. Made from the <a href="${API_PATH}/openapi.json">OpenAPI 3.1 description</a>, which is made from the program itself. The same releases can be read as a <a href="https://huggingface.co/docs/hub/api">Hugging Face</a> hub and as an <a href="https://github.com/opencontainers/distribution-spec">OCI</a> registry, and the log as <a href="https://c2sp.org/tlog-tiles">C2SP tlog-tiles</a> at <code>/log/</code>.</p>
<nav class="kinds" aria-label="Subjects">${subjects.map(({ first, title }) => html`<a href="#${first}">${title}</a> `)}<a href="#errors">Errors</a></nav>
${subjects.map(
  ({ first, title, about, operations: its }) => html`
<h2 id="${first}">${title}</h2>
<p>${about}</p>
${its.map((each) => operation(url, each))}`,
)}
<h2 id="errors">Errors</h2>
<p>A refusal is an RFC 9457 problem document. Its <code>code</code> is stable; its <code>detail</code> is one sentence for people, and may change.</p>
${errors()}`,
  };
}

function operation(url: string, told: Told): Html {
  const { method, path, summary, security, parameters, requestBody, responses } = told;
  return html`
<details class="operation" id="op-${told.operationId}"><summary><code class="method">${method.toUpperCase()}</code> <code class="route">${path}</code> ${security && html`<span class="badge">token</span>`} <span class="about">${prose(summary)}</span></summary>
<div class="told">
${parameters.length > 0 && html`<h3>Parameters</h3>${parameterList(parameters)}`}
${requestBody && html`<h3>Request</h3>${content(requestBody.content)}`}
<h3>Answer</h3>
${Object.entries(responses).map(([status, { content: answered }]) => answer(status, answered))}
<h3>For example</h3>
${command(example(url, told))}
</div></details>`;
}

/** `code` in a summary is code. */
function prose(text: string): Html {
  const parts = text.split('`');
  return html`${parts.map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`))}`;
}

function parameterList(parameters: Operation['parameters']): Html {
  return html`<ul class="shape">${parameters.map(
    ({ name, in: where, required, schema }) =>
      html`<li><code>${name}</code> <span class="small">${where === 'path' ? 'in the path,' : 'in the query,'}${!required && ' may be left out,'}</span> ${words(schema)}</li>`,
  )}</ul>`;
}

/** Answers that all give alike are told once, below. */
function answer(status: string, answered: DescribedContent | undefined): Html | undefined {
  if (status === 'default' || (answered === undefined && status !== '204')) return undefined;
  return answered === undefined
    ? html`<p><strong>${status}</strong> with nothing in it</p>`
    : content(answered, html`<strong>${status}</strong> `);
}

/** What is sent or answered, by its media type. */
function content(described: DescribedContent, lead?: Html): Html {
  return html`${Object.entries(described).map(
    ([type, { schema }]) =>
      html`<p>${lead}<span class="small">${type}</span></p>${schema && schema.format !== 'binary' && shape(schema)}`,
  )}`;
}

/** What stands for the parameters of a path in an example. */
const EXAMPLES: Readonly<Record<string, string>> = {
  namespace: 'acme',
  name: 'tiny',
  version: 'v1.0',
  path: 'model.safetensors',
  index: '42',
  number: '1',
  digest: '$DIGEST',
  upload: '$UPLOAD',
};

function example(url: string, { method, path, security, requestBody }: Told): string {
  const address = path.replaceAll(/\{([a-z]+)\}/g, (_, name: string) => EXAMPLES[name] ?? name);
  const [type] = Object.keys(requestBody?.content ?? {});
  const options = [
    ...(method === 'get' ? [] : [`--request ${method.toUpperCase()}`]),
    ...(security === undefined ? [] : ['--header "Authorization: Bearer $WEIGHHOUSE_TOKEN"']),
    ...(type === undefined ? [] : [`--header "Content-Type: ${type}"`, `--data-binary @request`]),
    `"${url}${address}"`,
  ];
  return `curl ${options.join(' \\\n  ')}`;
}

function errors(): Html {
  const codes = Object.entries(ERROR_WORDS) as [ErrorCode, string][];
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Errors"><table><thead><tr><th>Code</th><th class="figure">Status</th><th>Means</th></tr></thead><tbody>${codes.map(
    ([code, means]) => html`
<tr><td><code>${code}</code></td><td class="figure">${statusOf(code)}</td><td>${means}</td></tr>`,
  )}</tbody></table></div>`;
}
