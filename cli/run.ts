/**
 * Runs one command line: finds the command that was meant, loads it alone, lets clipanion parse, executes, and turns what was thrown into words on stderr
 * and an exit code. clipanion's own runner is not used: it prints errors to stdout and always exits 1.
 */
import { asksForHelp, checkArguments, meantBy, type Meant } from './command-line.ts';
import type { CommandName } from './command-table.ts';
import { createContext, type CliContext } from './context.ts';
import { CliError, exitCodes, failureOf, type Failure } from './failure.ts';
import { printFailure } from './output.ts';
import { readSettings } from './settings.ts';
import { visible } from './text.ts';

/** Exit code of the command line; everything it had to say is written. */
export async function run(args: readonly string[], given: CliContext = createContext()): Promise<number> {
  if (args[0] === '__complete') {
    const { complete } = await import('./commands/complete.ts');
    return complete(args.slice(1), given);
  }
  const context = args.includes('--no-color') ? { ...given, color: { stdout: false, stderr: false } } : given;
  let name: CommandName | undefined;
  try {
    const meant = meantBy(args);
    if (meant.kind !== 'command') return await showOverview(meant, context);
    name = meant.name;
    return await runCommand(meant, context);
  } catch (thrown) {
    const failure = withFix(await describe(thrown), name);
    if (name === 'kube credential') printSentence(context, failure);
    else printFailure(context, failure, { json: wantsJson(args, context.home), debug: isDebug(args, context) });
    return failure.exitCode;
  }
}

async function showOverview(meant: Exclude<Meant, { kind: 'command' }>, context: CliContext): Promise<number> {
  const { groupOverview, overview } = await import('./help.ts');
  const [stream, color] = meant.asked ? [context.stdout, context.color.stdout] : [context.stderr, context.color.stderr];
  stream.write(meant.kind === 'group' ? groupOverview(meant.group, color) : overview(color));
  return meant.asked ? exitCodes.ok : exitCodes.usage;
}

async function runCommand(
  { name, args }: { readonly name: CommandName; readonly args: readonly string[] },
  context: CliContext,
): Promise<number> {
  const { defineCommand } = await import('./definition.ts');
  const command = await defineCommand(name);
  if (asksForHelp(args)) {
    const { commandHelp } = await import('./help.ts');
    context.stdout.write(commandHelp(command.help, context.color.stdout));
    return exitCodes.ok;
  }
  checkArguments(args, command.shape);
  return command.execute(args, context);
}

async function describe(thrown: unknown): Promise<Failure> {
  if (thrown instanceof CliError) return failureOf(thrown);
  const { describeFailure } = await import('./explain.ts');
  return describeFailure(thrown);
}

function withFix(failure: Failure, name: CommandName | undefined): Failure {
  if (failure.exitCode !== exitCodes.usage || failure.fix !== undefined) return failure;
  return { ...failure, fix: name === undefined ? 'clustral --help' : `clustral ${name} --help` };
}

/** kubectl shows what its plugin says word by word, between messages of its own: one line, nothing else. */
function printSentence(context: CliContext, failure: Failure): void {
  const next =
    failure.fix === undefined
      ? ''
      : failure.fix.startsWith('clustral ')
        ? ` - run: ${failure.fix}`
        : ` - ${failure.fix}`;
  context.stderr.write(`clustral: ${visible(failure.what)}${visible(next)}\n`);
}

const isDebug = (args: readonly string[], context: CliContext): boolean =>
  args.includes('--debug') || Boolean(context.env['CLUSTRAL_DEBUG']);

function wantsJson(args: readonly string[], home: string): boolean {
  const places = args.flatMap((arg, index) => (/^(-o|--output)(=|$)/.test(arg) ? [index] : []));
  const last = places.at(-1);
  const format = last === undefined ? savedFormat(home) : (args[last]?.split('=', 2)[1] ?? args[last + 1]);
  return format === 'json' || format === 'jsonl';
}

function savedFormat(home: string): string | undefined {
  try {
    return readSettings(home).output;
  } catch {
    // Damaged settings are what the failure is about already.
    return undefined;
  }
}
