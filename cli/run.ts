/**
 * Runs one command line: registers the group that was typed, lets clipanion parse, executes, and turns what was thrown into words on stderr
 * and an exit code. clipanion's own runner is not used: it prints errors to stdout and always exits 1.
 */
import { Builtins, Cli, type BaseContext } from 'clipanion';
import { groupOf, loadGroups } from './commands.ts';
import { createContext, type CliContext } from './context.ts';
import { describeFailure, exitCodes, type Failure } from './failure.ts';
import { printFailure } from './output.ts';
import { version } from './version.ts';

/** Exit code of the command line; everything it had to say is written. */
export async function run(args: readonly string[], context: CliContext = createContext()): Promise<number> {
  process.once('SIGINT', () => process.exit(exitCodes.interrupted));
  const cli = new Cli<CliContext>({
    binaryLabel: 'Clustral',
    binaryName: 'clustral',
    binaryVersion: version,
    enableColors: false,
  });
  const typed = groupOf(args);
  for (const command of await loadGroups(typed)) cli.register(command);
  cli.register(Builtins.HelpCommand as never);
  if (args.length === 0) {
    context.stderr.write(cli.usage(null, { detailed: false }));
    return exitCodes.usage;
  }
  try {
    const command = cli.process([...args], context);
    if (command.help) {
      context.stdout.write(cli.usage(command, { detailed: true }));
      return exitCodes.ok;
    }
    // clipanion sets these two in its own runner, which is not used.
    command.context = context as CliContext & BaseContext;
    command.cli = cli as never;
    return (await command.validateAndExecute()) ?? exitCodes.ok;
  } catch (thrown) {
    const failure = describeFailure(thrown);
    printFailure(context, withUsage(failure), {
      json: wantsJson(args),
      debug: args.includes('--debug') || isSet(context, 'CLUSTRAL_DEBUG'),
    });
    return failure.exitCode;
  }
}

const withUsage = (failure: Failure): Failure =>
  failure.exitCode === exitCodes.usage && failure.fix === undefined ? { ...failure, fix: 'clustral --help' } : failure;

const isSet = (context: CliContext, name: string): boolean => Boolean(context.env[name]);

function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      arg === '--output=json' || arg === '-o=json' || (/^(-o|--output)$/.test(arg) && args[index + 1] === 'json'),
  );
}
