/** A draft's checklist (`core/release/checklist.ts`) in lines, what is missing with what to do about it. */
import { type Checklist, type Lack, type Voice, whyNotCounted } from '../core/release/checklist.ts';
import { hanging, type Line, toned } from './paint.ts';

/** Where what belongs to a row begins. */
const INDENT = ' '.repeat(11);

export function describeChecklist({ rows, earlier }: Checklist): Line[] {
  const lines = rows.flatMap((row): Line[] => [
    row.met
      ? hanging(INDENT.length, toned('good', '  met      '), row.what)
      : hanging(INDENT.length, toned('warn', '  MISSING  '), toned('strong', row.what)),
    ...row.by.map((voice) => describeVoice(voice)),
    ...row.aside.map((voice) =>
      describeVoice(voice, `  not counted: ${whyNotCounted(voice.reason)}`),
    ),
    ...row.lacks.flatMap(describeLack),
  ]);
  if (earlier.length === 0) return lines;
  return [
    ...lines,
    [toned('faint', '  on earlier revisions: void, but for what stops these bytes')],
    ...earlier.map((voice) => describeVoice(voice)),
  ];
}

function describeVoice({ person, says, index, time }: Voice, but = ''): Line {
  const when = `  (entry ${index}, ${minuteOf(time)})`;
  const said = [`${person}  ${says}`, toned('warn', but), toned('faint', when)];
  return hanging(INDENT.length, INDENT, ...said);
}

/** `2026-02-01 12:00 UTC`. */
function minuteOf(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

function describeLack({ message, waitsFor, satisfiedBy }: Lack): Line[] {
  return [
    hanging(INDENT.length, INDENT, toned('faint', message)),
    ...(waitsFor.length === 0
      ? []
      : [hanging(INDENT.length, `${INDENT}waits for: ${waitsFor.join(', ')}`)]),
    ...(satisfiedBy === '' ? [] : [`${INDENT}next: ${satisfiedBy}`]),
  ];
}
