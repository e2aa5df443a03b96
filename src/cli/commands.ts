/** Every command, as `weighhouse help` lists them. */
import type { MakeCommand } from './command.ts';

export type Group = 'Publish' | 'Decide' | 'Download' | 'Audit' | 'Operate' | 'Help';

export interface CommandRow {
  readonly name: string;
  /** It tells of all commands: they are loaded with it. */
  readonly tellsOfAll?: true;
  readonly group: Group;
  readonly summary: string;
  load(): Promise<{ readonly makeCommand: MakeCommand }>;
}

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'push',
    group: 'Publish',
    summary: 'check, hash, upload and seal a directory as a draft',
    load: () => import('./commands/push.ts'),
  },
  {
    name: 'import',
    group: 'Publish',
    summary: 'make a draft of a model at a Hugging Face hub, an OCI registry, or in a directory',
    load: () => import('./commands/import.ts'),
  },
  {
    name: 'seal',
    group: 'Publish',
    summary: 'seal a draft that was pushed with --no-seal',
    load: () => import('./commands/seal.ts'),
  },
  {
    name: 'status',
    group: 'Publish',
    summary: 'state of a draft, its digest, and what the gate still lacks',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'publish',
    group: 'Publish',
    summary: 'publish what is sealed; this cannot be undone',
    load: () => import('./commands/publish.ts'),
  },
  {
    name: 'withdraw',
    group: 'Publish',
    summary: 'withdraw a draft that is not published',
    load: () => import('./commands/withdraw.ts'),
  },
  {
    name: 'advise',
    group: 'Publish',
    summary: 'log a signed advisory about a release: recalled, security, …',
    load: () => import('./commands/advise.ts'),
  },
  {
    name: 'evaluate',
    group: 'Decide',
    summary: 'sign how a suite of tests ended on what is sealed',
    load: () => import('./commands/evaluate.ts'),
  },
  {
    name: 'approve',
    group: 'Decide',
    summary: 'sign that what is sealed may be released',
    load: () => import('./commands/approve.ts'),
  },
  {
    name: 'object',
    group: 'Decide',
    summary: 'sign that what is sealed must not be released',
    load: () => import('./commands/object.ts'),
  },
  {
    name: 'hold',
    group: 'Decide',
    summary: 'stop a release for now',
    load: () => import('./commands/hold.ts'),
  },
  {
    name: 'postpone',
    group: 'Decide',
    summary: 'no release before a date, or until further notice',
    load: () => import('./commands/postpone.ts'),
  },
  {
    name: 'lift',
    group: 'Decide',
    summary: 'an objection, hold or postponement no longer stands',
    load: () => import('./commands/lift.ts'),
  },
  {
    name: 'announce',
    group: 'Decide',
    summary: 'tell everybody, in the log, when a release is due',
    load: () => import('./commands/announce.ts'),
  },
  {
    name: 'decide',
    group: 'Decide',
    summary: 'sign offline, submit, and go on with what is not recorded',
    load: () => import('./commands/decide.ts'),
  },
  {
    name: 'void',
    group: 'Decide',
    summary: 'as owners, let a commitment that nobody opens no longer block',
    load: () => import('./commands/void.ts'),
  },
  {
    name: 'login',
    group: 'Decide',
    summary: 'get a token from a browser where you are signed in, or sign in there',
    load: () => import('./commands/login.ts'),
  },
  {
    name: 'logout',
    group: 'Decide',
    summary: 'forget the token that login got',
    load: () => import('./commands/logout.ts'),
  },
  {
    name: 'receipts',
    group: 'Decide',
    summary: 'prove that what you decided is in the log and in the release',
    load: () => import('./commands/receipts.ts'),
  },
  {
    name: 'trust',
    group: 'Download',
    summary: 'pin registries, list them, export their keys',
    load: () => import('./commands/trust.ts'),
  },
  {
    name: 'pull',
    group: 'Download',
    summary: 'download a release, every byte verified',
    load: () => import('./commands/pull.ts'),
  },
  {
    name: 'export',
    group: 'Download',
    summary: 'a verified release as a Hugging Face cache or an OCI layout',
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'verify',
    group: 'Download',
    summary: 'verify a pulled directory, offline',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'show',
    group: 'Download',
    summary: 'one release: digest, state, files',
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'open',
    group: 'Download',
    summary: 'the page of a release, in the browser',
    load: () => import('./commands/open.ts'),
  },
  {
    name: 'list',
    group: 'Download',
    summary: 'published releases, newest first',
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'search',
    group: 'Download',
    summary: 'search published releases',
    load: () => import('./commands/search.ts'),
  },
  {
    name: 'inspect',
    group: 'Download',
    summary: 'formats and tensors of a release, a file or a directory',
    load: () => import('./commands/inspect.ts'),
  },
  {
    name: 'diff',
    group: 'Download',
    summary: 'what differs between two releases, files or directories',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'history',
    group: 'Audit',
    summary: 'everything that the log says about a model',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'audit',
    group: 'Audit',
    summary: 'replay the whole log and check every release',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'log',
    group: 'Audit',
    summary: 'read the log: newest entries, one entry, a proof',
    load: () => import('./commands/log.ts'),
  },
  {
    name: 'init',
    group: 'Operate',
    summary: 'make a new registry: keys, trust root, empty log',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'serve',
    group: 'Operate',
    summary: 'run the server',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'start',
    group: 'Operate',
    summary: 'run a server on ./data, made on first use: to try things out',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'scrub',
    group: 'Operate',
    summary: 'read every object of a store against what it must be',
    load: () => import('./commands/scrub.ts'),
  },
  {
    name: 'repair',
    group: 'Operate',
    summary: 'restore damaged objects from a pulled directory or another registry',
    load: () => import('./commands/repair.ts'),
  },
  {
    name: 'doctor',
    group: 'Operate',
    summary: 'check clocks, keys, store, log, index and space, and say what to do',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'root',
    group: 'Operate',
    summary: 'show the trust root, rotate keys, sign a new root offline',
    load: () => import('./commands/root.ts'),
  },
  {
    name: 'token',
    group: 'Operate',
    summary: 'create and revoke access tokens',
    load: () => import('./commands/token.ts'),
  },
  {
    name: 'namespace',
    group: 'Operate',
    summary: 'begin a namespace; its quota, and which CI jobs may push to it',
    load: () => import('./commands/namespace.ts'),
  },
  {
    name: 'policy',
    group: 'Operate',
    summary: 'show, change and list the policies of a namespace',
    load: () => import('./commands/policy.ts'),
  },
  {
    name: 'key',
    group: 'Operate',
    summary: 'make a personal key, show its public half, enrol it in a policy',
    load: () => import('./commands/key.ts'),
  },
  {
    name: 'completion',
    group: 'Help',
    summary: 'a script for bash, zsh or fish that completes commands and flags',
    tellsOfAll: true,
    load: () => import('./commands/completion.ts'),
  },
];
