/**
 * Runs shell programs: steps one after the other, the commands of a pipeline side by side with bounded pipes between
 * them. One Shell is one environment: variables, a working directory, the last exit code.
 */
import { setImmediate } from 'node:timers/promises';
import { ByteQueue, ignoreLeaving, type Input, Interrupted, type Output } from '../byte-queue.ts';
import { FileError } from '../files/file-error.ts';
import { resolvePath } from '../files/paths.ts';
import { limits } from '../limits.ts';
import { builtins, ExitShell, type ShellState } from './builtins.ts';
import { ArgumentsTooLong, expandText, expandWords, type Values } from './expand.ts';
import { emptyInput, openForReading, openForWriting } from './open-file.ts';
import { parseProgram } from './parser.ts';
import { findProgram, print, type Process, runProgram } from './process.ts';
import { type Command, type Redirect, type Step, SyntaxFault } from './syntax.ts';

/** The three streams of a command. */
interface Streams {
  stdin: Input;
  stdout: Output;
  stderr: Output;
}

const syntaxFaultCode = 2;

export class Shell implements Values, ShellState {
  readonly process: Process;
  readonly positional: readonly string[];
  readonly variables: Map<string, string>;
  readonly exported: Set<string>;
  workingDirectory: string;
  lastCode = 0;

  /** @param positional what `$1` and following stand for */
  constructor(process: Process, positional: readonly string[] = []) {
    this.process = process;
    this.positional = positional;
    this.variables = new Map(process.environment);
    this.exported = new Set(process.environment.keys());
    this.workingDirectory = process.workingDirectory;
  }

  /**
   * Runs a text and answers the exit code of its last command. Faults are told on stderr.
   * @param signal ends the running command when aborted
   * @throws SyntaxFault for what is no program, ExitShell when the text says so
   */
  async run(text: string, signal: AbortSignal): Promise<number> {
    for (const step of parseProgram(text)) {
      // Programs that never wait for anything would keep everybody else from running.
      await setImmediate();
      if (signal.aborted) throw new Interrupted();
      if (step.when !== 'always' && (this.lastCode === 0) !== (step.when === 'succeeded')) continue;
      const code = await this.#pipeline(step, signal);
      this.lastCode = step.negated ? Number(code === 0) : code;
    }
    return this.lastCode;
  }

  /** Says what is wrong with a text or with running it; @throws what is no such fault */
  async explain(error: unknown): Promise<number> {
    const known = error instanceof SyntaxFault || error instanceof ArgumentsTooLong || error instanceof FileError;
    if (!known) throw error;
    this.lastCode = syntaxFaultCode;
    await print(this.process.stderr, `${this.process.name}: ${error.message}\n`);
    return syntaxFaultCode;
  }

  /** Sets a variable. @throws ArgumentsTooLong when all together are too large */
  assign(name: string, value: string): void {
    this.variables.set(name, value);
    let bytes = 0;
    for (const [key, held] of this.variables) bytes += key.length + held.length + 2;
    if (bytes <= limits.shellVariableBytes) return;
    this.variables.delete(name);
    throw new ArgumentsTooLong();
  }

  valueOf(name: string): string {
    if (name === '?') return String(this.lastCode);
    if (name === '#') return String(this.positional.length);
    if (name === '$') return '1';
    if (name === '0') return this.process.name;
    if (name === '@' || name === '*') return this.positional.join(' ');
    if (/^\d+$/.test(name)) return this.positional[Number(name) - 1] ?? '';
    return this.variables.get(name) ?? '';
  }

  async #pipeline(step: Step, signal: AbortSignal): Promise<number> {
    const { stdin, stdout, stderr } = this.process;
    const [only, ...more] = step.commands;
    if (only !== undefined && more.length === 0) return this.#command(only, { stdin, stdout, stderr }, signal);
    const pipes = more.map(() => new ByteQueue(limits.pipeBytes));
    const codes = await Promise.all(
      step.commands.map(async (command, index) => {
        const [before, after] = [pipes[index - 1], pipes[index]];
        try {
          return await this.#copy().#inPipeline(
            command,
            { stdin: before ?? stdin, stdout: after ?? stdout, stderr },
            signal,
          );
        } finally {
          before?.cancel();
          after?.end();
        }
      }),
    );
    return codes.at(-1) ?? 0;
  }

  /** A part of a pipeline has an environment of its own: leaving it leaves only that. */
  async #inPipeline(command: Command, streams: Streams, signal: AbortSignal): Promise<number> {
    try {
      return await this.#command(command, streams, signal);
    } catch (error) {
      if (error instanceof ExitShell) return error.code;
      throw error;
    }
  }

  async #command(command: Command, streams: Streams, signal: AbortSignal): Promise<number> {
    try {
      const opened = this.#redirected(command.redirects, streams);
      const [name, ...args] = expandWords(command.words, this);
      const values = command.assignments.map(({ name: key, value }) => [key, expandText(value, this)] as const);
      if (name === undefined) {
        for (const [key, value] of values) this.assign(key, value);
        return 0;
      }
      const process = {
        ...this.process,
        ...opened,
        name,
        args,
        environment: new Map([...this.#environment(), ...values]),
        workingDirectory: this.workingDirectory,
        signal,
      };
      return await this.#call(process);
    } catch (error) {
      // A part of a command line that fails is a failed command, not the end of the shell.
      if (!(error instanceof ArgumentsTooLong || error instanceof RedirectFault)) throw error;
      await print(streams.stderr, `${this.process.name}: ${error.message}\n`);
      return 1;
    }
  }

  async #call(process: Process): Promise<number> {
    const { name } = process;
    const builtin = builtins.get(name);
    if (builtin !== undefined) return runProgram((given) => builtin(this, given), process);
    const found = findProgram(process.machine, name, this.workingDirectory);
    if ('program' in found) return runProgram(found.program, process);
    const why = found.code === 126 ? 'Permission denied' : 'not found';
    await print(process.stderr, `${this.process.name}: ${name}: ${why}\n`).catch(ignoreLeaving);
    return found.code;
  }

  #redirected(redirects: readonly Redirect[], streams: Streams): Streams {
    const opened = { ...streams };
    const { files, now } = this.process.machine;
    for (const { descriptor, kind, target } of redirects) {
      const name = expandText(target, this);
      const path = resolvePath(this.workingDirectory, name);
      try {
        if (kind === 'copy') copyStream(opened, descriptor, name);
        else if (kind === 'read') opened.stdin = openForReading(files, path);
        else {
          const output = openForWriting(files, path, { append: kind === 'append', at: now() });
          if (descriptor === 2) opened.stderr = output;
          else opened.stdout = output;
        }
      } catch (error) {
        if (error instanceof FileError) throw new RedirectFault(`${name}: ${error.message}`);
        throw error;
      }
    }
    return opened;
  }

  #environment(): [string, string][] {
    return [...this.variables].filter(([name]) => this.exported.has(name));
  }

  #copy(): Shell {
    const copy = new Shell(this.process, this.positional);
    for (const [name, value] of this.variables) copy.variables.set(name, value);
    for (const name of this.exported) copy.exported.add(name);
    copy.workingDirectory = this.workingDirectory;
    copy.lastCode = this.lastCode;
    return copy;
  }
}

/** A file of a redirection cannot be opened. */
class RedirectFault extends Error {}

function copyStream(streams: Streams, descriptor: 0 | 1 | 2, from: string): void {
  const source = { '0': undefined, '1': streams.stdout, '2': streams.stderr }[from];
  if (from === '-' && descriptor === 0) streams.stdin = emptyInput;
  else if (source === undefined) throw new RedirectFault(`${from}: bad file descriptor`);
  else if (descriptor === 2) streams.stderr = source;
  else streams.stdout = source;
}
