/**
 * `npm run bench [-- PART… --json FILE --rounds N --size BYTES --folder DIR --keep]`
 *
 * Runs the named parts, or all. Each figure is one JSON object, one line on standard output;
 * `--json FILE` also writes them as one array. Words for people go to standard error.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, type Figure, isMet, type Part } from './figure.ts';
import { describeMachine } from './machine.ts';

const PARTS = join(import.meta.dirname, 'parts');

/** A median of fewer says nothing. */
const MIN_ROUNDS = 3;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    size: { type: 'string', default: String(2 * 2 ** 30) },
    folder: { type: 'string', default: tmpdir() },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Made weights and whatever else a part writes; parts share it, and so what others made. */
const folder = join(options.folder, 'weighhouse-bench');

const available = readdirSync(PARTS).map((file) => file.replace(/\.ts$/, ''));

if (options.help) await printHelp();
else await measureAll(chosenParts());

function chosenParts(): string[] {
  const unknown = positionals.find((name) => !available.includes(name));
  if (unknown === undefined) return positionals.length > 0 ? positionals : available;
  say(`there is no part ${unknown}; there are: ${available.join(', ')}`);
  process.exit(2);
}

async function measureAll(names: readonly string[]): Promise<void> {
  const records: unknown[] = [];
  try {
    for (const name of names) {
      for await (const figure of (await load(name)).measure(benchFor(name))) {
        const record = { part: name, ...figure, met: isMet(figure), machine: describeMachine() };
        console.log(JSON.stringify(record));
        say(summary(figure));
        records.push(record);
        // After every figure: a long run that is broken off keeps what it has measured.
        if (options.json) writeFileSync(options.json, `${JSON.stringify(records, null, 2)}\n`);
      }
    }
  } finally {
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
}

function benchFor(name: string): Bench {
  const rounds = Math.max(MIN_ROUNDS, Number(options.rounds));
  mkdirSync(folder, { recursive: true });
  say(`${name}: ${rounds} rounds in ${folder}`);
  return { folder, rounds, size: Number(options.size), say };
}

async function load(name: string): Promise<Part> {
  const { part } = (await import(join(PARTS, `${name}.ts`))) as { part: Part };
  return part;
}

async function printHelp(): Promise<void> {
  say('npm run bench -- [PART…] [--json FILE] [--rounds N] [--size BYTES] [--folder DIR] [--keep]');
  for (const name of available) say(`  ${name.padEnd(12)} ${(await load(name)).about}`);
}

function summary(figure: Figure): string {
  const { unit, ours, peer, ratio, atLeast, atMost, missing } = figure;
  if (missing !== undefined) return `  ${figure.figure}: NOT MEASURED, ${missing} is missing here`;
  const beside = peer === undefined ? '' : `, peer ${peer} ${unit}, ratio ${ratio}`;
  const wanted = atLeast === undefined ? atMost && `at most ${atMost}` : `at least ${atLeast}`;
  const verdict = isMet(figure) ? 'met' : 'MISSED';
  return `  ${figure.figure}: ${ours} ${unit}${beside}${wanted ? ` (${wanted}: ${verdict})` : ''}`;
}

function say(text: string): void {
  console.error(text);
}
