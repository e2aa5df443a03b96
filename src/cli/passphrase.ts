/**
 * Where the passphrase of a key file comes from: `--passphrase-file`, then
 * `WEIGHHOUSE_PASSPHRASE`, then a question to the person at the terminal. A new key takes one
 * of these, or `--no-passphrase`, which leaves its file readable to whoever gets hold of it.
 */
import { readFile } from 'node:fs/promises';
import { CodedError } from '../core/error.ts';
import { isEncrypted } from '../keyring/file.ts';
import { areEncrypted, readOrigin } from '../operator/keys-directory.ts';
import type { Context, SharedFlags } from './context.ts';
import { askHidden } from './prompt.ts';
import { isInteractive } from './world.ts';

/** The shortest passphrase for a new key, in characters. */
export const MIN_PASSPHRASE = 8;

export interface PassphraseFlags extends SharedFlags {
  readonly passphraseFile?: string;
}

/** `--no-passphrase` makes `passphrase` false. */
export interface NewPassphraseFlags extends PassphraseFlags {
  readonly passphrase: boolean;
}

/** The passphrase that opens `keyFile`; undefined when the file is not encrypted. */
export async function openingPassphrase(
  context: Context,
  flags: PassphraseFlags,
  keyFile: string,
): Promise<string | undefined> {
  return passphraseFor(context, flags, keyFile, () => isEncrypted(keyFile));
}

/** The passphrase of a server's keys: one for all of them. Throws `not-found` where there are none. */
export async function serverPassphrase(
  context: Context,
  flags: PassphraseFlags,
  directory: string,
): Promise<string | undefined> {
  await readOrigin(directory);
  return passphraseFor(context, flags, directory, () => areEncrypted(directory));
}

async function passphraseFor(
  context: Context,
  flags: PassphraseFlags,
  what: string,
  needed: () => Promise<boolean>,
): Promise<string | undefined> {
  const given = await givenPassphrase(context, flags);
  if (given !== undefined) return given;
  if (!(await needed())) return undefined;
  if (isInteractive(context.world)) return askHidden(context.world, `Passphrase of ${what}: `);
  throw new CodedError(
    'not-authorised',
    `${what} is encrypted: give its passphrase with --passphrase-file or WEIGHHOUSE_PASSPHRASE`,
  );
}

/** The passphrase for new key files; undefined when the person wants none. */
export async function newPassphrase(
  context: Context,
  flags: NewPassphraseFlags,
): Promise<string | undefined> {
  if (!flags.passphrase) {
    if (flags.passphraseFile !== undefined) {
      throw new CodedError('usage', 'give --passphrase-file or --no-passphrase, not both');
    }
    context.output.warn('without a passphrase, whoever reads a key file has the key');
    return undefined;
  }
  const given = (await givenPassphrase(context, flags)) ?? (await askTwice(context));
  if (given.length >= MIN_PASSPHRASE) return given;
  throw new CodedError('usage', `a passphrase has at least ${MIN_PASSPHRASE} characters`);
}

/** What was given without a question; undefined when nothing was. */
export async function givenPassphrase(
  { config }: Context,
  { passphraseFile }: PassphraseFlags,
): Promise<string | undefined> {
  return passphraseFile === undefined ? config.passphrase : readPassphrase(passphraseFile);
}

/** The first line of a file: editors end it with a newline. */
async function readPassphrase(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('usage', `the passphrase file ${path} cannot be read (${error.code})`);
  });
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw new CodedError('usage', `the passphrase file ${path} is empty`);
  return line;
}

async function askTwice({ world }: Context): Promise<string> {
  if (!isInteractive(world)) {
    throw new CodedError(
      'usage',
      'new key files take a passphrase: give --passphrase-file or WEIGHHOUSE_PASSPHRASE, or --no-passphrase to leave them unencrypted',
    );
  }
  const first = await askHidden(world, 'New passphrase: ');
  const second = await askHidden(world, 'Once more: ');
  if (first === second) return first;
  throw new CodedError('usage', 'the two passphrases differ; nothing was made');
}
