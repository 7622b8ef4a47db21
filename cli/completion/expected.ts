/**
 * What may follow on a command line that is still being typed. Pure: the words come in, what is wanted goes out; whoever asks has the names. A line that
 * makes no sense so far expects nothing, and is never an error.
 */
import { meantBy, openGroup, type Meant } from '../command-line.ts';
import { commandTable, entryOf, type CommandName } from '../command-table.ts';
import { CliError } from '../failure.ts';
import { commonFlags, type FlagsByCommand, type KnownFlag } from './flags-cache.ts';
import type { Named } from './names-cache.ts';

/** A kind of value that names are known for. */
export type Kind =
  | 'account'
  | 'cluster'
  | 'context'
  | 'file'
  | 'format'
  | 'granted request'
  | 'pending request'
  | 'profile'
  | 'role'
  | 'server'
  | 'setting'
  | 'setting value'
  | 'shell';

export type Expected =
  | { readonly kind: 'words'; readonly words: readonly Named[] }
  /** A value; `prefix` stands before it in the same word, as `--output=` does. */
  | { readonly kind: 'value'; readonly of: Kind; readonly prefix: string };

const nothing: Expected = { kind: 'words', words: [] };

/** What the last of the words may become. */
export function expectedAt(words: readonly string[], flags: FlagsByCommand): Expected {
  const [before, current] = [words.slice(0, -1), words.at(-1) ?? ''];
  const meant = meaningOf(before);
  const command = meant?.kind === 'command' ? meant : undefined;
  const own = command === undefined ? [] : flags[command.name];
  const known = [...(own ?? []), ...commonFlags];
  const isOver = before.includes('--');
  const last = isOver ? '' : (before.at(-1) ?? '');
  const waiting = waitingFlag(last, known);
  if (waiting !== undefined) return valueOf(kindOfFlag(waiting));
  // Before the flags of commands are on disk nobody can say whether this one takes a value.
  if (own === undefined && isFlag(last) && !known.some(({ names }) => names.includes(last))) return nothing;
  if (current.startsWith('-') && !isOver) return flagsOrValue(current, known);
  const group = openGroup(before);
  if (group !== undefined) return secondWords(group);
  if (command === undefined) return meant?.kind === 'overview' ? firstWords() : nothing;
  return valueOf(kindOfArgument(command, known));
}

function meaningOf(before: readonly string[]): Meant | undefined {
  try {
    return meantBy(before);
  } catch (cause) {
    if (cause instanceof CliError) return undefined;
    throw cause;
  }
}

function firstWords(): Expected {
  const byWord = new Map<string, string>();
  for (const { words, summary, category } of commandTable) {
    const [word = words, second] = words.split(' ');
    if (!byWord.has(word)) byWord.set(word, second === undefined ? summary : category.toLowerCase());
  }
  return { kind: 'words', words: [...byWord].map(([value, text]) => ({ value, text })) };
}

function secondWords(group: string): Expected {
  const entries = commandTable.filter(({ words }) => words.startsWith(`${group} `));
  const words = entries.map(({ words: name, summary }) => ({ value: name.slice(group.length + 1), text: summary }));
  return { kind: 'words', words };
}

/** The flag whose value comes next: known to take one, or unknown here and called like something that there are names for. */
function waitingFlag(last: string, known: readonly KnownFlag[]): KnownFlag | undefined {
  if (!isFlag(last)) return undefined;
  const flag = known.find(({ names }) => names.includes(last));
  if (flag !== undefined) return flag.value === '' ? undefined : flag;
  const guess = { names: [last], value: last.split('-').at(-1) ?? '', text: '' };
  return kindOfFlag(guess) === undefined ? undefined : guess;
}

const isFlag = (word: string): boolean => word.startsWith('-') && word !== '-' && !word.includes('=');

function flagsOrValue(current: string, known: readonly KnownFlag[]): Expected {
  const [name = '', value] = current.split('=', 2);
  if (value === undefined) {
    const words = known.flatMap(({ names, text }) => names.map((one) => ({ value: one, text })));
    return { kind: 'words', words };
  }
  const flag = known.find(({ names }) => names.includes(name));
  return valueOf(flag === undefined || flag.value === '' ? undefined : kindOfFlag(flag), `${name}=`);
}

const valueOf = (of: Kind | undefined, prefix = ''): Expected =>
  of === undefined ? nothing : { kind: 'value', of, prefix };

/** By the flag's own name where that says more than the word for its value. */
const byFlag: Readonly<Record<string, Kind>> = {
  '--account': 'account',
  '--context': 'context',
  '--context-name': 'context',
  '--extends': 'granted request',
  '--output': 'format',
  '--profile': 'profile',
  '--server': 'server',
};

const byWord: Readonly<Record<string, Kind>> = {
  account: 'account',
  cluster: 'cluster',
  context: 'context',
  file: 'file',
  folder: 'file',
  host: 'server',
  key: 'setting',
  profile: 'profile',
  request: 'pending request',
  role: 'role',
  shell: 'shell',
  value: 'setting value',
};

function kindOfFlag({ names, value }: KnownFlag): Kind | undefined {
  const named = names.find((name) => Object.hasOwn(byFlag, name));
  return named === undefined ? kindOfWord(value.toLowerCase()) : byFlag[named];
}

const kindOfWord = (word: string): Kind | undefined => (Object.hasOwn(byWord, word) ? byWord[word] : undefined);

/** Commands whose request is one that was granted. */
const onGrants: ReadonlySet<CommandName> = new Set(['access revoke', 'access give-back', 'access extend']);

function kindOfArgument(
  command: { readonly name: CommandName; readonly args: readonly string[] },
  known: readonly KnownFlag[],
): Kind | undefined {
  const expected = entryOf(command.name)
    .args.split(' ')
    .filter((arg) => arg !== '');
  const place = positionals(command.args, known);
  const last = expected.at(-1);
  const arg = expected[place] ?? (last?.endsWith('...]') ? last : undefined);
  const kind = arg === undefined ? undefined : kindOfWord(arg.replace(/^[<[]|(\.\.\.)?[>\]]$/g, ''));
  return kind === 'pending request' && onGrants.has(command.name) ? 'granted request' : kind;
}

/** How many arguments stand there already. */
function positionals(args: readonly string[], known: readonly KnownFlag[]): number {
  let count = 0;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') continue;
    if (!arg.startsWith('-') || arg === '-') count += 1;
    else if (waitingFlag(arg, known) !== undefined) index += 1;
  }
  return count;
}
