/**
 * What can be typed where, out of the commands themselves: so a completion script says no more
 * and no less than `--help` does.
 */
import type { Argument, Command, Option } from 'commander';

export interface Word {
  readonly word: string;
  readonly about: string;
}

export interface Flag {
  /** `--key`, and `-V` where it has a short form. */
  readonly names: readonly string[];
  readonly about: string;
  /** True when a value follows. */
  readonly takesValue: boolean;
  /** The values that there are; empty where any may follow, a file above all. */
  readonly choices: readonly string[];
}

/** What can stand behind a command. */
export interface Place {
  /** Its words, each with a space before it: ` token create`; '' behind the program's name. */
  readonly at: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
  /** Fixed choices of its arguments. */
  readonly choices: readonly string[];
}

/** Every place, the program's own first. */
export function placesOf(program: Command): Place[] {
  const places = placesBelow(program, '');
  const names = places[0]!.commands.map(({ word }) => word);
  return places.map((place) => (place.at === ' help' ? { ...place, choices: names } : place));
}

/** Flags that take a value, those of the same choices together: most take any. */
export function groupsOf(flags: readonly Flag[]): Pick<Flag, 'names' | 'choices'>[] {
  const groups = Map.groupBy(
    flags.filter(({ takesValue }) => takesValue),
    ({ choices }) => choices.join(' '),
  );
  return [...groups.values()].map((alike) => ({
    names: alike.flatMap(({ names }) => names),
    choices: alike[0]!.choices,
  }));
}

function placesBelow(command: Command, at: string): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const place: Place = {
    at,
    commands: commands.map((each) => ({ word: each.name(), about: each.description() })),
    flags: help.visibleOptions(command).map(flagOf),
    choices: command.registeredArguments.flatMap(choicesOf),
  };
  return [place, ...commands.flatMap((each) => placesBelow(each, `${at} ${each.name()}`))];
}

function flagOf(option: Option): Flag {
  return {
    names: [option.long, option.short].filter((name) => name !== undefined && name !== null),
    about: option.description,
    takesValue: option.required || option.optional,
    choices: choicesOf(option),
  };
}

function choicesOf({ argChoices = [] }: Pick<Argument | Option, 'argChoices'>): readonly string[] {
  return argChoices;
}
