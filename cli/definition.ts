/** A command as clipanion holds it: parsed and executed there, described from there for help and for the check of its arguments. */
import { Cli, type BaseContext } from 'clipanion';
import { entryOf, type CommandName } from './command-table.ts';
import type { Shape } from './command-line.ts';
import { loadCommand } from './commands.ts';
import type { CliContext } from './context.ts';
import { exitCodes } from './failure.ts';
import type { CommandHelp, FlagHelp } from './help.ts';

/** A loaded command. */
export type Defined = {
  readonly shape: Shape;
  readonly help: CommandHelp;
  /** Parses, runs, and gives the exit code. Throws what the command throws. */
  execute(args: readonly string[], context: CliContext): Promise<number>;
};

/** Loads a command and reads its declaration. */
export async function defineCommand(name: CommandName): Promise<Defined> {
  const loaded = await loadCommand[name]();
  const cli = new Cli<CliContext>({ binaryName: 'clustral', enableColors: false });
  cli.register(loaded);
  const [definition] = cli.definitions();
  if (!definition) throw new Error(`'${name}' declares no usage`);
  const entry = entryOf(name);
  const declared = definition.options.map((option) => ({ ...readFlag(option), required: option.required }));
  return {
    shape: {
      name,
      args: entry.args,
      flags: declared.map(({ names, value, required }) => ({
        names: names.split(','),
        takesValue: value !== '',
        required,
      })),
    },
    help: {
      entry,
      details: loaded.usage?.details,
      examples: loaded.usage?.examples ?? [],
      argumentHelp: loaded.argumentHelp,
      flags: declared,
    },
    async execute(args, context) {
      const command = cli.process([...name.split(' '), ...args], context);
      // clipanion sets these two in its own runner, which is not used.
      command.context = context as CliContext & BaseContext;
      command.cli = cli as never;
      return (await command.validateAndExecute()) ?? exitCodes.ok;
    },
  };
}

/** A flag of clipanion (`--ttl #0`), whose description carries the word for its value in front of a tab. */
function readFlag({ definition, description = '' }: { definition: string; description?: string }): FlagHelp {
  const [names = '', placeholder = ''] = definition.split(' ', 2);
  const [word = '', text = ''] = description.includes('\t') ? description.split('\t', 2) : ['', description];
  return { names, value: placeholder === '' ? '' : word || 'VALUE', text };
}
