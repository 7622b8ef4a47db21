/**
 * Commands that change the shell itself, so no program could do them.
 */
import { resolvePath } from '../files/paths.ts';
import { complain, complainOf, print, type Process } from './process.ts';

/** The shell is to end, with this exit code. */
export class ExitShell extends Error {
  readonly code: number;

  constructor(code: number) {
    super('exit');
    this.code = code;
  }
}

/** What builtin commands may change. */
export interface ShellState {
  readonly variables: Map<string, string>;
  readonly exported: Set<string>;
  workingDirectory: string;
  lastCode: number;
  /** @throws ArgumentsTooLong when all variables together are too large */
  assign(name: string, value: string): void;
}

type Builtin = (shell: ShellState, process: Process) => Promise<number>;

/** By name; a Map, so that no name of JavaScript's own objects is a command. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['cd', changeDirectory],
  ['exit', exit],
  ['export', exportVariables],
  ['unset', unset],
  ['help', help],
  [':', async () => 0],
]);

async function changeDirectory(shell: ShellState, process: Process): Promise<number> {
  const wanted = process.args[0] ?? shell.variables.get('HOME') ?? '/';
  const target = wanted === '-' ? (shell.variables.get('OLDPWD') ?? '/') : wanted;
  const path = resolvePath(shell.workingDirectory, target);
  try {
    process.machine.files.directoryAt(path);
  } catch (error) {
    return complainOf(process, `can't cd to ${target}`, error);
  }
  shell.assign('OLDPWD', shell.workingDirectory);
  shell.assign('PWD', path);
  shell.workingDirectory = path;
  return 0;
}

async function exit(shell: ShellState, process: Process): Promise<number> {
  const [code = String(shell.lastCode)] = process.args;
  if (!/^\d{1,9}$/.test(code)) return complain(process, `Illegal number: ${code}`, 2);
  throw new ExitShell(Number(code) % 256);
}

async function exportVariables(shell: ShellState, process: Process): Promise<number> {
  for (const argument of process.args) {
    const [, name, assigned] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) return complain(process, `${argument}: bad variable name`, 2);
    if (assigned !== undefined) shell.assign(name, assigned);
    shell.exported.add(name);
  }
  return 0;
}

async function unset(shell: ShellState, { args }: Process): Promise<number> {
  for (const name of args) {
    shell.variables.delete(name);
    shell.exported.delete(name);
  }
  return 0;
}

async function help(_shell: ShellState, { machine, stdout }: Process): Promise<number> {
  const names = [...builtins.keys(), ...machine.programs.keys()].toSorted();
  await print(
    stdout,
    'This pod is simulated: nothing runs in it, and its files are in memory until it is deleted.\n' +
      `Its programs: ${names.join(' ')}\n`,
  );
  return 0;
}
