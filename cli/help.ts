/** Help as text: the overview, one group, one command. Aligned, calm, from the same table and classes that run. */
import { commandTable, globalFlags, type Entry } from './command-table.ts';
import { paint } from './style.ts';

/** One command as its class declares it. */
export type CommandHelp = {
  readonly entry: Entry;
  readonly details: string | undefined;
  readonly examples: readonly (readonly [label: string, line: string])[];
  readonly argumentHelp: Readonly<Record<string, string>>;
  readonly flags: readonly FlagHelp[];
};

export type FlagHelp = {
  /** `-o,--output`. */
  readonly names: string;
  /** `FORMAT`; empty for a switch. */
  readonly value: string;
  readonly text: string;
};

type Row = readonly [left: string, right: string];

const widestLeft = 40;
const more = "'clustral <command> --help' says more about one of them.";

/** The overview of all commands. */
export function overview(color: boolean): string {
  const categories = [...new Set(commandTable.map(({ category }) => category))];
  const sections = categories.map((category) => ({
    title: category,
    rows: commandTable
      .filter((entry) => entry.category === category)
      .map(({ words, summary }): Row => [words, summary]),
  }));
  return page(color, [
    'Short-lived, audited access to Kubernetes clusters.',
    { title: 'Usage', rows: [['clustral <command> [options]', '']] },
    ...sections,
    { title: 'Options of every command', rows: globalRows() },
    more,
  ]);
}

/** The commands of one group, `kube` say. */
export function groupOverview(group: string, color: boolean): string {
  const entries = commandTable.filter(({ words }) => words.startsWith(`${group} `));
  return page(color, [
    { title: 'Usage', rows: [[`clustral ${group} <command> [options]`, '']] },
    { title: 'Commands', rows: entries.map(commandRow) },
    more,
  ]);
}

/** All about one command. */
export function commandHelp({ entry, details, examples, argumentHelp, flags }: CommandHelp, color: boolean): string {
  const globalNames = new Set<string>(Object.values(globalFlags).map(({ names }) => names));
  const own = flags.filter(({ names }) => !globalNames.has(names)).map(flagRow);
  const usage = ['clustral', entry.words, entry.args, '[options]'].filter((part) => part !== '').join(' ');
  const named = entry.args.split(' ').filter((arg) => arg !== '');
  return page(color, [
    sentence(entry.summary),
    ...(details === undefined ? [] : [details]),
    { title: 'Usage', rows: [[usage, '']] },
    { title: 'Arguments', rows: named.map((arg): Row => [arg, argumentHelp[arg.slice(1, -1)] ?? '']) },
    { title: 'Options', rows: own },
    { title: 'Options of every command', rows: globalRows() },
    {
      title: 'Examples',
      rows: examples.flatMap(([label, line]): Row[] => [
        [`# ${label}`, ''],
        [line, ''],
      ]),
    },
  ]);
}

type Section = { readonly title: string; readonly rows: readonly Row[] };

/** Sections of one page share one left column, so that the eye finds one edge. */
function page(color: boolean, parts: readonly (string | Section)[]): string {
  const shown = parts.filter((part) => typeof part === 'string' || part.rows.length > 0);
  const described = shown
    .flatMap((part) => (typeof part === 'string' ? [] : part.rows))
    .filter(([, right]) => right !== '');
  const width = Math.min(widestLeft, Math.max(0, ...described.map(([left]) => left.length)));
  return shown
    .map((part) => {
      if (typeof part === 'string') return `${part}\n`;
      const lines = part.rows.map(([left, right]) => `  ${right === '' ? left : `${left.padEnd(width)}   ${right}`}\n`);
      return `${paint(color, 'head', part.title)}\n${lines.join('')}`;
    })
    .join('\n');
}

const commandRow = ({ words, args, summary }: Entry): Row => [args === '' ? words : `${words} ${args}`, summary];

function globalRows(): Row[] {
  return [...Object.values(globalFlags).map(flagRow), ['-h, --help', 'show this help']];
}

function flagRow({ names, value, text }: FlagHelp): Row {
  const listed = names.split(',');
  // Long names of flags without a short one stand below those with one.
  const aligned = listed.length === 1 && names.startsWith('--') ? `    ${names}` : listed.join(', ');
  return [value === '' ? aligned : `${aligned} ${value}`, text];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
