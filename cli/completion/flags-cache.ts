/**
 * The flags of every command on disk, because to learn them from the commands means to load each one's code, which takes longer than a person waits for a
 * key. Written in the background once for each version of this tool.
 */
import { join } from 'node:path';
import { commandTable, globalFlags, type CommandName } from '../command-table.ts';
import { readJson, writeJson } from '../files.ts';
import { version } from '../version.ts';

/** A flag as a command declares it: its names, the word for its value (empty for a switch), what it does. */
export type KnownFlag = { readonly names: readonly string[]; readonly value: string; readonly text: string };

export type FlagsByCommand = Readonly<Partial<Record<CommandName, readonly KnownFlag[]>>>;

type Kept = { readonly version: string; readonly at: string; readonly flags: FlagsByCommand };

const keptForMs = 86_400_000;

/** The folder of what completion keeps for all profiles. */
export const completionFolder = (home: string): string => join(home, 'completion');

const flagsFile = (home: string): string => join(completionFolder(home), 'flags.json');

/** Flags that every command takes. */
export const commonFlags: readonly KnownFlag[] = [
  ...Object.values(globalFlags).map(({ names, value, text }) => ({ names: names.split(','), value, text })),
  { names: ['-h', '--help'], value: '', text: 'show help' },
];

/** The flags as last written, and whether they are due to be written again. */
export function readFlags(home: string, now: Date): { flags: FlagsByCommand; isDue: boolean } {
  try {
    const kept = readJson(flagsFile(home), isKept);
    if (kept?.version !== version) return { flags: {}, isDue: true };
    const age = now.getTime() - Date.parse(kept.at);
    return { flags: kept.flags, isDue: !(age >= 0 && age < keptForMs) };
  } catch {
    // A cache: damaged is as good as missing, and is written again.
    return { flags: {}, isDue: true };
  }
}

/** Loads every command and writes down its own flags. */
export async function writeFlags(home: string, now: Date): Promise<void> {
  const { defineCommand } = await import('../definition.ts');
  const common = new Set(commonFlags.flatMap(({ names }) => names));
  const flags: Partial<Record<CommandName, readonly KnownFlag[]>> = {};
  for (const { words } of commandTable) {
    const { help } = await defineCommand(words);
    flags[words] = help.flags
      .map(({ names, value, text }) => ({ names: names.split(','), value, text }))
      .filter(({ names }) => !names.some((name) => common.has(name)));
  }
  await writeJson(flagsFile(home), { version, at: now.toISOString(), flags } satisfies Kept);
}

function isKept(json: unknown): json is Kept {
  const { version: written, at, flags } = (json ?? {}) as Record<string, unknown>;
  const isFlag = (flag: unknown): boolean => {
    const { names, value, text } = (flag ?? {}) as Record<string, unknown>;
    const areNames = Array.isArray(names) && names.every((name) => typeof name === 'string');
    return areNames && typeof value === 'string' && typeof text === 'string';
  };
  return (
    typeof written === 'string' &&
    typeof at === 'string' &&
    typeof flags === 'object' &&
    flags !== null &&
    Object.values(flags).every((list: unknown) => Array.isArray(list) && list.every(isFlag))
  );
}
