/**
 * `advise REF --kind …`: says something about a published release, signed and logged.
 * `recalled` makes clients refuse it; a correction is another advisory.
 */
import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { resolveRelease } from '../../client/release.ts';
import { CodedError } from '../../core/error.ts';
import { ADVISORIES, type AdvisoryKind, MAX_SUMMARY } from '../../core/log/entry.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../core/release/advisory.ts';
import { formatReleaseName, parseReference } from '../../core/release/name.ts';
import { formatEnvelope, toSign } from '../../core/statement/dsse.ts';
import { declare, keyFlag, passphraseFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import type { PassphraseFlags } from '../passphrase.ts';
import { openApiWithToken, openReader } from '../reach.ts';
import { openSigner } from '../signer.ts';

export function makeCommand(run: Run): Command {
  return declare(
    'advise',
    'advise acme/kimi-k2@v1.0 --kind recalled --summary "wrong tokenizer" --key me.key',
  )
    .argument('<ref>', 'namespace/name@version')
    .addOption(
      new Option('--kind <kind>', 'what it is about').choices(ADVISORIES).makeOptionMandatory(),
    )
    .requiredOption('--summary <text>', 'one or two sentences, for everybody to read')
    .addOption(keyFlag())
    .addOption(passphraseFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(advise));
}

interface AdviseFlags extends PassphraseFlags {
  readonly kind: AdvisoryKind;
  readonly summary: string;
}

async function advise(context: Context, flags: AdviseFlags, text: string): Promise<void> {
  const { signal, clock } = context;
  const reference = parseReference(text);
  if (reference.at === undefined) {
    throw new CodedError('bad-reference', `an advisory names one release: ${text}@VERSION`);
  }
  const { kind, summary } = flags;
  if (summary.length > MAX_SUMMARY) {
    throw new CodedError('usage', `--summary has at most ${MAX_SUMMARY} characters`);
  }
  const reader = await openReader(context, await openApiWithToken(context));
  const signer = await openSigner(context, flags);
  // What is spoken about is what the log says the release is, not what a server says it is.
  const { verified, root } = await resolveRelease(reader, reference, {
    acceptRecalled: true,
    signal,
  });
  const payload = formatAdvisory({
    v: 1,
    origin: root.origin,
    release: formatReleaseName(verified.release),
    digest: verified.digest,
    advisory: kind,
    summary,
    time: new Date(clock()).toISOString(),
    nonce: randomBytes(32).toString('hex'),
  });
  const signature = await signer.sign(toSign(ADVISORY_PAYLOAD_TYPE, payload));
  const envelope = formatEnvelope(ADVISORY_PAYLOAD_TYPE, payload, signature);
  const { index } = await reader.api.advise(envelope, { signal });
  const name = formatReleaseName(verified.release);
  context.output.result({ reference: name, digest: verified.digest, kind, summary, index }, [
    `${name}: ${kind}, entry ${index} of the log`,
  ]);
}
