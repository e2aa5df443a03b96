/** What an entry of the log holds, field by field, with links to what it names. */
import type { EntryOf } from '../../core/log/entry.ts';
import type { DocumentName } from '../../core/release/documents.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { API_PATH } from '../api/endpoint.ts';
import { advisoryPage, apiOf } from './addresses.ts';
import { namespaceLink, releaseLink, rootPath } from './entry-words.ts';
import { type Html, html } from './html.ts';
import type { LoggedEntry } from './log-entries.ts';
import { digest, entry as entryLink, moment, number } from './pieces.ts';

type Fact = readonly [name: string, value: Html];

/** The facts of an entry, beside its kind and its time. */
export function entryFacts({ index, parsed, event }: LoggedEntry): Fact[] {
  if (parsed?.known !== true) return [];
  const { entry } = parsed;
  switch (entry.kind) {
    case 'namespace':
    case 'policy':
      return [
        ['Namespace', namespaceLink(entry.namespace)],
        [
          'Policy',
          html`${digest(entry.policy)} <a href="${policyPath(entry.namespace, index)}">as the API gives it</a>`,
        ],
        ['Signed', digests(entry.signed)],
        ...(entry.kind === 'namespace' && entry.override !== undefined
          ? [
              [
                'Override',
                html`the operator confirmed that a name which looks like another is meant`,
              ] as const,
            ]
          : []),
      ];
    case 'release':
      return releaseFacts(index, entry);
    case 'advisory':
      return [
        ['Release', releaseLink(entry.release)],
        ['Digest', digest(entry.digest)],
        ['Advisory', html`<a href="${advisoryPage(index)}">${entry.advisory}</a>`],
        ['Summary', html`${entry.summary}`],
        ['Statement', digest(entry.statement)],
      ];
    case 'commitment':
      return [
        ['Label', html`<code>${entry.label}</code>`],
        ['Commitment', html`<code>${entry.commit}</code>`],
        ['Revealed', revealedBy(event?.release)],
      ];
    case 'void':
      return [
        ['Namespace', namespaceLink(entry.namespace)],
        ['Label', html`<code>${entry.label}</code>`],
        [
          'Statement',
          html`${digest(entry.statement)} <a href="${API_PATH}/voids/${index}">as it was signed</a>`,
        ],
        ['Signed', digests(entry.signed)],
      ];
    case 'announcement':
      return [
        ['Release', html`${entry.release}`],
        ['Says', html`${entry.announcement}`],
        ['Date', entry.date === null ? html`until further notice` : moment(entry.date)],
        [
          'Statement',
          html`${digest(entry.statement)} <a href="${API_PATH}/announcements/${index}">as it was signed</a>`,
        ],
      ];
    case 'heads':
      return [
        ['Root', digest(entry.root)],
        ['Namespaces', html`${number(entry.namespaces)}`],
      ];
    case 'root':
      return [
        ['Version', html`<a href="${rootPath(entry.version)}">${number(entry.version)}</a>`],
        ['Digest', digest(entry.digest)],
      ];
  }
}

/** A release entry names all that it makes public by its digest. */
function releaseFacts(index: number, entry: EntryOf<'release'>): Fact[] {
  const document = (name: DocumentName) =>
    html`<a href="${apiOf(parseReleaseName(entry.release), name)}"><code>${name}</code></a>`;
  const revealed: Fact[] = [
    ['Decisions', entry.decisions, 'decisions.json'] as const,
    ['Verdict', entry.verdict, 'verdict.dsse'] as const,
    ['Intent', entry.intent, 'intent.dsse'] as const,
  ].flatMap(([name, of, file]) =>
    of === undefined ? [] : [[name, html`${digest(of)} ${document(file)}`] as const],
  );
  return [
    ['Release', releaseLink(entry.release)],
    ['Digest', html`${digest(entry.digest)} ${document('manifest.json')}`],
    ['Model signature', html`${digest(entry.model_sig)} ${document('model.sig')}`],
    ['Signed root', digest(entry.root)],
    ['Statement', html`${digest(entry.release_dsse)} ${document('release.dsse')}`],
    [
      'Signature’s record',
      html`${entryLink(index + 1)}, whose leaf hash is <code>${entry.record}</code>`,
    ],
    ['Policy that was met', entryLink(entry.policy)],
    ...revealed,
  ];
}

/** Of a commitment. Nothing but a release ever tells what one was about. */
function revealedBy(release: string | undefined): Html {
  return release === undefined
    ? html`by no release: nobody outside can tell what it is about`
    : html`by ${releaseLink(release)}`;
}

function digests(all: readonly string[]): Html {
  return html`${all.map((each, i) => html`${i > 0 && ', '}${digest(each)}`)}`;
}

function policyPath(namespace: string, index: number): string {
  return `${API_PATH}/namespaces/${namespace}/policy?index=${index}`;
}
