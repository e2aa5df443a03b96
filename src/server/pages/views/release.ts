/** One release: what it is, why it can be believed, how to get it, and what is in it. */
import { formatCount, formatParameters } from '../../../core/amounts.ts';
import type { Digest } from '../../../core/digest.ts';
import { type Claims, claimsOf } from '../../../core/release/claims.ts';
import type { DocumentName } from '../../../core/release/documents.ts';
import { formatReleaseName, type Namespace, type ReleaseName } from '../../../core/release/name.ts';
import type { Policy } from '../../../core/release/policy.ts';
import type { Restriction } from '../../../core/release/readers.ts';
import type { WeightsSummary } from '../../../core/weights/summary.ts';
import type { CatalogueAdvisory, CatalogueEvent } from '../../../index/catalogue.ts';
import type { PublishedRelease } from '../../../registry/registry.ts';
import {
  apiOf,
  diffPage,
  filesPage,
  releasePage,
  releasePageOf,
  reportPath,
  tensorsPage,
} from '../addresses.ts';
import { type Html, html } from '../html.ts';
import type { Page } from '../layout.ts';
import {
  advisories,
  bytes,
  digest,
  entry,
  facts,
  lookAlikeNotice,
  moment,
  number,
  readersOf,
  sentence,
  standing,
} from '../pieces.ts';
import { demandsOf } from '../policy-words.ts';
import { type DecisionShown, decisionTable } from './decisions.ts';
import { fileTable } from './files.ts';
import { getIt } from './get-it.ts';
import { path } from './path.ts';
import { timeline } from './timeline.ts';

/** Files that stand on the page itself; a page of their own has all of them. */
const FILES_SHOWN = 40;

/** A path that means nothing to a shell. */
const PLAIN_PATH = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

export interface ReleaseShown {
  readonly published: PublishedRelease;
  readonly advisories: readonly CatalogueAdvisory[];
  /** The newest of its model that is not recalled. */
  readonly isNewest: boolean;
  /** The one before it, if there is one. */
  readonly previous: ReleaseName | undefined;
  readonly weights: WeightsSummary | undefined;
  readonly license: string | undefined;
  /** What an advisory names to be used in its place. */
  readonly successor: ReleaseName | undefined;
  /** Those in whose place it stands. */
  readonly supersedes: readonly ReleaseName[];
  /** A namespace that was there first, and that its own looks like. */
  readonly lookAlike: Namespace | undefined;
  /** The policy that it met, and the log index of that. */
  readonly policy: Policy;
  readonly policyIndex: number;
  /** For whom its files are now, where they are not everybody's. */
  readonly forWhom: Restriction | undefined;
  /** What was decided about it, in the order of the log. */
  readonly decisions: readonly DecisionShown[];
  /** What the log says of it. */
  readonly events: readonly CatalogueEvent[];
  readonly isOllama: boolean;
  /** How people reach the registry. */
  readonly url: string;
}

export function releaseView(shown: ReleaseShown): Page {
  const { published, isNewest } = shown;
  const { release, manifest } = published;
  const reference = formatReleaseName(release);
  return {
    title: reference,
    description: `${reference}: ${formatCount(manifest.files.length, 'file')}, released ${published.time.slice(0, 10)}, entry ${published.index} of the public log.`,
    path: releasePage(release),
    scripts: ['release.js'],
    body: html`
${path(release)}
<h1>${release.name} <span class="version">${release.version}</span> ${standing(shown.advisories, isNewest)}</h1>
${lookAlikeNotice(release.namespace, shown.lookAlike)}
${advisories(shown.advisories)}
${releaseFacts(shown)}
<section id="proof" data-reference="${reference}" data-digest="${published.digest}">
<h2>Check it yourself</h2>
<p class="no-script">With JavaScript, this page checks itself here: your browser reads the signed documents and the log, and believes nothing that it has not checked. Without, <code>weighhouse verify</code> does the same.</p>
</section>
<h2>Who decided</h2>
${decided(shown)}
<h2>Get it</h2>
${getIt({ release, url: shown.url, file: exampleFile(published), isOllama: shown.isOllama })}
<h2>Files</h2>
${fileTable(release, manifest.files.slice(0, FILES_SHOWN))}
${manifest.files.length > FILES_SHOWN && html`<p class="more"><a href="${filesPage(release)}">All ${number(manifest.files.length)} files</a></p>`}
<h2>Signed documents</h2>
${documents(published, shown.decisions.length > 0)}
<h2>In the log</h2>
${timeline(shown.events)}`,
  };
}

/** What it is, in a few lines. */
export function releaseFacts(shown: ReleaseShown): Html {
  const { published, weights, license, previous, forWhom } = shown;
  const { release, manifest, index, time } = published;
  return facts([
    ['Digest', digest(published.digest)],
    ['Published', html`${moment(time)}, ${entry(index)} of the log`],
    ['Size', html`${bytes(manifest.size)} in ${formatCount(manifest.files.length, 'file')}`],
    weights
      ? [
          'Parameters',
          html`<a href="${tensorsPage(release)}">${formatParameters(weights.parameters)}</a> (${Object.keys(weights.dtypes).join(', ')})`,
        ]
      : manifest.tensors && ['Tensors', html`<a href="${tensorsPage(release)}">listed by name</a>`],
    license === undefined ? undefined : ['Licence', license],
    forWhom && ['Files', html`for ${readersOf(release.namespace, forWhom)}`],
    ...claimRows(claimsOf(manifest)),
    manifest.executes && [
      'Runs code',
      html`${manifest.executes.join(', ')}: loading the model runs what is in there`,
    ],
    shown.successor && ['Superseded by', referenceTo(shown.successor, release)],
    shown.supersedes.length > 0
      ? [
          'Supersedes',
          html`${shown.supersedes.map((each) => html`${referenceTo(each, release)} `)}`,
        ]
      : undefined,
    previous && [
      'Before it',
      html`<a href="${releasePage(previous)}">${previous.version}</a>, <a href="${diffPage(release, previous)}">what changed</a>`,
    ],
  ]);
}

/** A release, in short where it is of the same model. */
function referenceTo(release: ReleaseName, from: ReleaseName): Html {
  const isSame = release.namespace === from.namespace && release.name === from.name;
  return html`<a href="${releasePage(release)}">${isSame ? release.version : formatReleaseName(release)}</a>`;
}

/** What its publisher says of it, which no byte proves. */
function claimRows({ source, base = [], companion }: Claims): [string, Html][] {
  const claim = html`<span class="small">as its publisher says</span>`;
  return [
    ...base.map(({ relation, release, digest: of }): [string, Html] => [
      RELATION_WORDS[relation],
      html`<a href="${releasePageOf(release)}">${release}</a> ${digest(of)} ${claim}`,
    ]),
    ...(source === undefined
      ? []
      : [['Imported from', html`${source.url} at ${source.revision} ${claim}`] as [string, Html]]),
    ...(companion === undefined
      ? []
      : [['Companion', html`${companion.model} at ${companion.url} ${claim}`] as [string, Html]]),
  ];
}

const RELATION_WORDS = {
  adapter: 'Adapter for',
  finetune: 'Fine-tuned from',
  merge: 'Merged from',
  quantized: 'Quantised from',
} as const;

function decided({ published, policy, policyIndex, decisions }: ReleaseShown): Html {
  return html`
<p>When it was published, version ${policy.version} of the policy was in force (${entry(policyIndex)}), which says:</p>
<ul class="demands">${demandsOf(policy).map((demand) => html`<li>${sentence(demand)}</li>`)}</ul>
${
  decisions.length > 0 &&
  html`<p>Each decision was committed to the log, blindly, when it was made, and opened by the release: none can have been backdated.</p>
${decisionTable(decisions, policy, (report) => reportPath(published.release, report))}`
}`;
}

function documents({ release, manifest }: PublishedRelease, isGated: boolean): Html {
  const rows: (readonly [DocumentName, string])[] = [
    ['manifest.json', 'what was signed: every file with its digests'],
    ['model.sig', 'OpenSSF model signature, a Sigstore bundle'],
    ['release.dsse', 'the release statement, in-toto in a DSSE envelope'],
    ['release.tlog-proof', 'C2SP proof that the log has the release'],
    ['model-sig.tlog-proof', 'C2SP proof that the log has the signature'],
    ...(isGated
      ? ([
          ['decisions.json', 'the decisions, with what opens their commitments'],
          ['verdict.dsse', 'the gate’s verdict, a SLSA verification summary'],
          ['intent.dsse', 'the release manager’s signed intent'],
        ] as const)
      : []),
    ...(manifest.tensors === undefined
      ? []
      : ([['tensors.json', 'every tensor with its SHA-256']] as const)),
  ];
  return html`<ul class="documents">${rows.map(([name, what]) => html`<li><a href="${apiOf(release, name)}"><code>${name}</code></a> <span class="small">${what}</span></li>`)}</ul>`;
}

/** A small file whose name needs no quotes in a command. */
export function exampleFile({
  manifest,
}: PublishedRelease): { path: string; hex: string } | undefined {
  const plain = manifest.files.filter((file) => PLAIN_PATH.test(file.path));
  const [smallest] = plain.toSorted((a, b) => a.size - b.size);
  return smallest && { path: smallest.path, hex: hexOf(smallest.sha256) };
}

function hexOf(sha256: Digest): string {
  return sha256.slice(sha256.indexOf(':') + 1);
}
