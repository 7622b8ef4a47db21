/**
 * Finds out which command a line of words means, before any command is loaded, and says in plain words what is wrong with the line: an unknown
 * word, a missing or surplus argument, an unknown flag. It parses no values; clipanion does.
 */
import { commandTable, globalFlags, type CommandName } from './command-table.ts';
import { CliError, exitCodes } from './failure.ts';
import { didYouMean, visible } from './text.ts';

export type Meant =
  /** `asked` is false when a command was expected and none came. */
  | { readonly kind: 'overview'; readonly asked: boolean }
  | { readonly kind: 'group'; readonly group: string; readonly asked: boolean }
  /** `args` are the rest of the line: flags and arguments, in their order. */
  | { readonly kind: 'command'; readonly name: CommandName; readonly args: readonly string[] };

const singular: Readonly<Record<string, string>> = {
  account: 'accounts',
  cluster: 'clusters',
  profile: 'profiles',
  role: 'roles',
  user: 'users',
  assignment: 'assignments',
};
const verbAliases: Readonly<Record<string, readonly string[]>> = { ls: ['list'], rm: ['remove', 'delete'] };
/** Nouns that alone mean one of their commands. */
const alone: Readonly<Record<string, CommandName>> = { config: 'config show' };
const names = commandTable.map(({ words }) => words);
const firstWords = [...new Set(names.map((name) => name.split(' ')[0] ?? ''))];
const valueFlags = new Set(
  Object.values(globalFlags)
    .filter(({ value }) => value !== '')
    .flatMap((one) => one.names.split(',')),
);

/** What the line means. Throws a usage error for an unknown word, with the nearest known one. */
export function meantBy(args: readonly string[]): Meant {
  const places = wordPlaces(args);
  const [first, second] = places.map((index) => args[index] ?? '');
  const asked = asksForHelp(args);
  if (first === undefined) {
    return args.includes('--version') ? { kind: 'command', name: 'version', args: [] } : { kind: 'overview', asked };
  }
  if (first === 'help') return helpFor(args.filter((_, index) => index !== places[0]));
  const noun = nounOf(first);
  const without = (...taken: (number | undefined)[]): string[] => args.filter((_, index) => !taken.includes(index));
  if (isName(noun)) {
    // A command of one word takes 'list' as its second, as the others do.
    const isList = noun === 'audit' && (second === 'list' || second === 'ls');
    return { kind: 'command', name: noun, args: isList ? without(places[0], places[1]) : without(places[0]) };
  }
  if (!firstWords.includes(noun)) throw unknown(first, firstWords, 'clustral --help');
  if (second === undefined) {
    const meant = Object.hasOwn(alone, noun) && !asked ? alone[noun] : undefined;
    return meant === undefined
      ? { kind: 'group', group: noun, asked }
      : { kind: 'command', name: meant, args: without(places[0]) };
  }
  const name = [second, ...(verbAliases[second] ?? [])].map((verb) => `${noun} ${verb}`).find(isName);
  if (name !== undefined) return { kind: 'command', name, args: without(places[0], places[1]) };
  const siblings = names.filter((known) => known.startsWith(`${noun} `));
  throw unknown(`${first} ${second}`, siblings, `use one of: ${siblings.join(', ')}`);
}

/** The group of which only the first word stands there; undefined when there is none or its second word came. For completion. */
export function openGroup(args: readonly string[]): string | undefined {
  const [place, second] = wordPlaces(args);
  if (place === undefined || second !== undefined) return undefined;
  const noun = nounOf(args[place] ?? '');
  return names.some((name) => name.startsWith(`${noun} `)) ? noun : undefined;
}

const nounOf = (word: string): string => (Object.hasOwn(singular, word) ? (singular[word] ?? word) : word);

/** True when help is asked for anywhere before `--`. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '-h' || arg === '--help');
}

function helpFor(args: readonly string[]): Meant {
  const meant = meantBy(args);
  return meant.kind === 'command' ? { ...meant, args: ['--help'] } : { ...meant, asked: true };
}

/** Where the first two words stand; flags for every command and their values may come before and between. */
function wordPlaces(args: readonly string[]): readonly number[] {
  const places: number[] = [];
  for (let index = 0; index < args.length && places.length < 2; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') break;
    if (valueFlags.has(arg)) index += 1;
    else if (!arg.startsWith('-')) places.push(index);
  }
  return places;
}

function isName(text: string): text is CommandName {
  return (names as readonly string[]).includes(text);
}

function unknown(typed: string, known: readonly string[], help: string): CliError {
  const meant = didYouMean(typed, known);
  return new CliError(
    exitCodes.usage,
    `unknown command '${visible(typed)}'`,
    meant === undefined ? help : `did you mean 'clustral ${meant}'?`,
  );
}

/** A flag as a command declares it. */
export type Flag = { readonly names: readonly string[]; readonly takesValue: boolean; readonly required: boolean };

/** What the arguments of a command are checked against. */
export type Shape = {
  readonly name: CommandName;
  /** As usage shows them: `<cluster> [host]`. */
  readonly args: string;
  readonly flags: readonly Flag[];
};

/** Throws a usage error that names what is missing, surplus or unknown. */
export function checkArguments(args: readonly string[], shape: Shape): void {
  const help = `clustral ${shape.name} --help`;
  const expected = shape.args.split(' ').filter((arg) => arg !== '');
  const { positionals, seen } = scan(args, shape, help);
  const usage = ['clustral', shape.name, ...expected].join(' ');
  const missing = [
    ...expected.slice(positionals.length).filter((arg) => arg.startsWith('<')),
    ...shape.flags
      .filter(({ required, names: [name] }) => required && !seen.has(name ?? ''))
      .map(({ names: [name] }) => name),
  ];
  if (missing.length > 0) {
    throw new CliError(
      exitCodes.usage,
      `'clustral ${shape.name}' needs ${missing.join(' and ')}`,
      missing.some((one) => one?.startsWith('-')) ? help : usage,
    );
  }
  const surplus = positionals[expected.length];
  // `[cluster...]` takes all that come.
  if (surplus !== undefined && !shape.args.endsWith('...]')) {
    throw new CliError(exitCodes.usage, `unexpected argument '${visible(surplus)}'`, usage);
  }
}

function scan(
  args: readonly string[],
  shape: Shape,
  help: string,
): { positionals: readonly string[]; seen: ReadonlySet<string> } {
  const positionals: string[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      positionals.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      positionals.push(arg);
      continue;
    }
    const [typed = ''] = arg.split('=', 1);
    const flag = shape.flags.find(({ names: known }) => known.includes(typed));
    if (!flag) {
      const meant = didYouMean(
        typed,
        shape.flags.flatMap(({ names: known }) => known.filter((name) => name.length > 3)),
      );
      throw new CliError(
        exitCodes.usage,
        `'clustral ${shape.name}' knows no flag '${visible(typed)}'`,
        meant === undefined ? help : `did you mean '${meant}'?`,
      );
    }
    seen.add(flag.names[0] ?? '');
    if (!flag.takesValue || arg.includes('=')) continue;
    index += 1;
    if (index >= args.length) throw new CliError(exitCodes.usage, `${typed} needs a value`, help);
  }
  return { positionals, seen };
}
