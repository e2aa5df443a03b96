/** Completion for bash, from 3.2 on, which is what a Mac has. */
import { groupsOf, type Place } from './words.ts';

export function bashScript(program: string, places: readonly Place[]): string {
  const name = `_${program}`;
  return `# Completion of ${program} for bash; made by "${program} completion bash".
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} at='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${known(places)}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at:$before" in
${places.flatMap(valueCases).join('\n')}
    *)
      case "$at" in
${places.map(wordCase).join('\n')}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F ${name} ${program}
`;
}

/** Patterns of everything that is a command. */
function known(places: readonly Place[]): string {
  return places.flatMap(({ at }) => (at === '' ? [] : [`'${at}'`])).join(' | ');
}

/** Behind a flag with a value stand its choices, or else what bash itself completes: files. */
function valueCases({ at, flags }: Place): string[] {
  return groupsOf(flags).map(({ names, choices }) => {
    const patterns = names.map((each) => `'${at}:${each}'`).join(' | ');
    return `    ${patterns}) words='${choices.join(' ')}' ;;`;
  });
}

function wordCase({ at, commands, flags, choices }: Place): string {
  const names = flags.flatMap((flag) => flag.names).join(' ');
  const words = [...commands.map(({ word }) => word), ...choices].join(' ');
  return `        '${at}') case "$current" in -*) words='${names}' ;; *) words='${words}' ;; esac ;;`;
}
