/** Completion for fish. */
import type { Flag, Place } from './words.ts';

export function fishScript(program: string, places: readonly Place[]): string {
  const condition = `__${program}_at`;
  const lines = places.flatMap(({ at, commands, flags, choices }) => {
    const here = `complete -c ${program} -n ${quote(`${condition} ${quote(at)}`)}`;
    const isFixed = commands.length + choices.length > 0;
    return [
      ...commands.map(({ word, about }) => `${here} -f -a ${word} -d ${quote(about)}`),
      ...(choices.length > 0 ? [`${here} -f -a ${quote(choices.join(' '))}`] : []),
      ...(isFixed ? [] : [`${here} -F`]),
      ...flags.map((flag) => `${here} ${flagWords(flag)}`),
    ];
  });
  const known = places.flatMap(({ at }) => (at === '' ? [] : [quote(at)]));
  return `# Completion of ${program} for fish; made by "${program} completion fish".
function ${condition} -d 'Is that the command so far?'
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${known.join(' ')}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c ${program} -e
${lines.join('\n')}
`;
}

/** Of a flag with a value: its choices alone, or files. */
function flagWords({ names, about, takesValue, choices }: Flag): string {
  const named = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const value = !takesValue
    ? []
    : choices.length === 0
      ? ['-r -F']
      : [`-x -a ${quote(choices.join(' '))}`];
  return [...named, ...value, `-d ${quote(about)}`].join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
