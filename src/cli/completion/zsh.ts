/** Completion for zsh: to be sourced, or to lie in `fpath` as a file of its own. */
import { groupsOf, type Place } from './words.ts';

export function zshScript(program: string, places: readonly Place[]): string {
  const name = `_${program}`;
  return `#compdef ${program}
# Completion of ${program} for zsh; made by "${program} completion zsh".
${name}() {
  local at='' word before=$words[CURRENT-1]
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${known(places)}) at="$at $word" ;;
    esac
  done
  case "$at:$before" in
${places.flatMap(valueCases).join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    case "$at" in
${places.map(flagCase).join('\n')}
    esac
    _describe -o option found
    return
  fi
  case "$at" in
${places.map(wordCase).join('\n')}
  esac
  if (( $#found )); then _describe command found; else _files; fi
}
if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`;
}

function known(places: readonly Place[]): string {
  return `(${places.flatMap(({ at }) => (at === '' ? [] : [quote(at)])).join('|')}`;
}

function valueCases({ at, flags }: Place): string[] {
  return groupsOf(flags).map(({ names, choices }) => {
    const patterns = names.map((each) => quote(`${at}:${each}`)).join('|');
    const complete = choices.length === 0 ? '_files' : `compadd -- ${choices.join(' ')}`;
    return `    (${patterns}) ${complete}; return ;;`;
  });
}

function flagCase({ at, flags }: Place): string {
  const found = flags.flatMap(({ names, about }) => names.map((each) => quote(`${each}:${about}`)));
  return `      (${quote(at)}) found=(${found.join(' ')}) ;;`;
}

function wordCase({ at, commands, choices }: Place): string {
  const found = [...commands.map(({ word, about }) => `${word}:${about}`), ...choices];
  return `    (${quote(at)}) found=(${found.map(quote).join(' ')}) ;;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
