/**
 * What a simulated program is given and what it gives back. A program is a function of the stand-in: it sees its
 * container's files and its streams, and nothing of the machine the stand-in runs on.
 */
import { BrokenPipe, type Input, Interrupted, type Output } from '../byte-queue.ts';
import { FileError } from '../files/file-error.ts';
import type { FileTree } from '../files/file-tree.ts';
import { resolvePath } from '../files/paths.ts';
import { limits } from '../limits.ts';
import type { Terminal } from './terminal.ts';

/** The simulated container. */
export interface Machine {
  hostname: string;
  container: string;
  image: string;
  files: FileTree;
  /** What the container's spec sets. */
  environment: ReadonlyMap<string, string>;
  programs: ReadonlyMap<string, Program>;
  now: () => Date;
  /** Programs that run now. */
  running: number;
}

/** One run of a program. */
export interface Process {
  /** The name it was called by. */
  name: string;
  args: readonly string[];
  environment: ReadonlyMap<string, string>;
  workingDirectory: string;
  machine: Machine;
  stdin: Input;
  stdout: Output;
  stderr: Output;
  terminal: Terminal | undefined;
  /** Aborted when the program has to stop: by Ctrl-C, or because its pod or its client is gone. */
  signal: AbortSignal;
}

/** Runs and answers its exit code. */
export type Program = (process: Process) => Promise<number>;

/** Exit codes of programs that a signal ended: 128 and its number. */
const interruptedCode = 130;
const brokenPipeCode = 141;
const cannotForkCode = 2;

/** Runs a program; what ends it before its time becomes its exit code. */
export async function runProgram(program: Program, process: Process): Promise<number> {
  const { machine } = process;
  // A script that calls itself would otherwise never end.
  if (machine.running >= limits.podProcesses)
    return complain(process, "can't fork: Resource temporarily unavailable", cannotForkCode);
  machine.running += 1;
  try {
    return await program(interruptible(process));
  } catch (error) {
    if (error instanceof Interrupted) return interruptedCode;
    if (error instanceof BrokenPipe) return brokenPipeCode;
    // Whoever names a file handles its fault; this one came from writing to a redirected stream.
    if (error instanceof FileError) return complain(process, `write error: ${error.message}`);
    throw error;
  } finally {
    machine.running -= 1;
  }
}

/** A program by the name it is called by, or why there is none: in words, and as an exit code. */
export type Found = { program: Program } | { code: 126 | 127; why: string };

/** Finds a program as a shell does: names with a slash are paths, others are looked up. */
export function findProgram({ files, programs }: Machine, name: string, workingDirectory: string): Found {
  if (!name.includes('/')) {
    const program = programs.get(name);
    return program === undefined ? { code: 127, why: 'executable file not found in $PATH' } : { program };
  }
  const path = resolvePath(workingDirectory, name);
  const node = files.find(path);
  if (node === undefined) return { code: 127, why: `stat ${name}: no such file or directory` };
  const program = path.startsWith('/bin/') ? programs.get(path.slice('/bin/'.length)) : undefined;
  if (program === undefined || node.kind !== 'file') return { code: 126, why: 'permission denied' };
  return { program };
}

/** Writes text. */
export async function print(output: Output, text: string): Promise<void> {
  if (text !== '') await output.write(Buffer.from(text));
}

/** Says what went wrong, with the program's name before it; answers an exit code. */
export async function complain({ stderr, name }: Process, message: string, code = 1): Promise<number> {
  await print(stderr, `${name}: ${message}\n`);
  return code;
}

/** Says what is wrong with a file; @throws whatever is no fault of a file */
export async function complainOf(process: Process, what: string, error: unknown): Promise<number> {
  if (!(error instanceof FileError)) throw error;
  return complain(process, `${what}: ${error.message}`);
}

/** The pieces of an input, one after the other. */
export async function* piecesOf(input: Input): AsyncGenerator<Buffer> {
  for (let piece = await input.read(); piece !== undefined; piece = await input.read()) yield piece;
}

/** Streams that end a program's waiting, and its writing, when it has to stop. */
function interruptible(process: Process): Process {
  const { stdin, stdout, stderr, signal } = process;
  const guarded = (output: Output): Output => ({
    async write(chunk) {
      if (signal.aborted) throw new Interrupted();
      await output.write(chunk);
    },
  });
  // A program started by this one brings a signal of its own, which is aborted with this one's.
  const input: Input = { read: (inner) => stdin.read(inner ?? signal) };
  return { ...process, stdin: input, stdout: guarded(stdout), stderr: guarded(stderr) };
}
