/** `completion bash|zsh|fish`: a script by which that shell completes what can be typed. */
import { Argument, type Command } from 'commander';
import { declare, type Run } from '../command.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { placesOf } from '../completion/words.ts';
import { zshScript } from '../completion/zsh.ts';
import type { Context, SharedFlags } from '../context.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

export function makeCommand(run: Run): Command {
  const command = declare('completion', 'completion bash');
  const shells = new Argument('<shell>', 'the shell that completes').choices(Object.keys(SCRIPTS));
  return command.addArgument(shells).action(
    run(async (context: Context, _flags: SharedFlags, shell: Shell) => {
      const program = command.parent!;
      const script = SCRIPTS[shell](program.name(), placesOf(program));
      if (context.output.json) context.output.result({ shell, script }, []);
      else context.output.text(script);
    }),
  );
}
