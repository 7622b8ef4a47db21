/**
 * The program `sh`: a text given with -c, a file, what comes in on stdin, or a person at a terminal.
 */
import { Interrupted } from '../byte-queue.ts';
import { resolvePath } from '../files/paths.ts';
import { limits } from '../limits.ts';
import { ExitShell } from './builtins.ts';
import { openForReading } from './open-file.ts';
import { complain, complainOf, piecesOf, print, type Process } from './process.ts';
import { Shell } from './shell.ts';
import { IncompleteText } from './syntax.ts';
import type { Terminal } from './terminal.ts';

/** Runs a shell and answers the exit code of its last command. */
export async function sh(process: Process): Promise<number> {
  const [first, ...rest] = process.args;
  if (first === '-c') {
    const [text, name = process.name, ...positional] = rest;
    if (text === undefined) return complain(process, '-c requires an argument', 2);
    return untilExit(() => runText(new Shell({ ...process, name }, positional), text));
  }
  if (first !== undefined && first.startsWith('-') && !['-', '-i', '-l'].includes(first))
    return complain(process, `invalid option ${first}`, 2);
  const shell = new Shell(process);
  if (first !== undefined && !first.startsWith('-')) return untilExit(async () => runFile(process, first, rest));
  const { terminal } = process;
  return untilExit(() => (terminal === undefined ? runInput(shell) : converse(shell, terminal)));
}

async function untilExit(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ExitShell) return error.code;
    throw error;
  }
}

async function runText(shell: Shell, text: string): Promise<number> {
  try {
    return await shell.run(text, shell.process.signal);
  } catch (error) {
    return shell.explain(error);
  }
}

async function runFile(process: Process, name: string, positional: readonly string[]): Promise<number> {
  let text = '';
  try {
    const file = openForReading(process.machine.files, resolvePath(process.workingDirectory, name));
    for await (const piece of piecesOf(file)) {
      text += piece.toString('latin1');
      if (text.length > limits.shellLineBytes) return await complain(process, `${name}: too long`, 2);
    }
  } catch (error) {
    return complainOf(process, `can't open '${name}'`, error);
  }
  return runText(new Shell({ ...process, name }, positional), Buffer.from(text, 'latin1').toString());
}

/** Runs each line as it comes; what a command reads comes from the same input, after the line. */
async function runInput(shell: Shell): Promise<number> {
  const lines = new LineReader(shell.process.stdin);
  const reading = new Shell({ ...shell.process, stdin: lines });
  let text = '';
  for (let line = await lines.line(); line !== undefined; line = await lines.line()) {
    text += `${line}\n`;
    if (text.length > limits.shellLineBytes) return complain(shell.process, 'the line is too long', 2);
    try {
      await reading.run(text, shell.process.signal);
      text = '';
    } catch (error) {
      if (error instanceof IncompleteText) continue;
      return reading.explain(error);
    }
  }
  return text === '' ? reading.lastCode : runText(reading, text);
}

/** Prompts, reads a line, runs it, and again, until Ctrl-D or `exit`. */
async function converse(shell: Shell, terminal: Terminal): Promise<number> {
  const { stdout, signal } = shell.process;
  let pressed = new AbortController();
  const restore = terminal.onInterrupt(() => pressed.abort());
  let text = '';
  try {
    for (;;) {
      // Before the prompt: Ctrl-C while it is written asks for another one.
      pressed = new AbortController();
      await print(stdout, text === '' ? `${shell.workingDirectory} # ` : '> ');
      const ended = AbortSignal.any([signal, pressed.signal]);
      try {
        const line = await terminal.read(ended);
        if (line === undefined) break;
        text += line.toString();
        await shell.run(text, ended);
        text = '';
      } catch (error) {
        if (error instanceof IncompleteText && text.length < limits.shellLineBytes) continue;
        text = '';
        if (error instanceof Interrupted && !signal.aborted) shell.lastCode = 130;
        else await shell.explain(error);
      }
    }
  } finally {
    restore();
  }
  await print(stdout, '\n');
  return shell.lastCode;
}

/** Lines of an input one by one; what is left over stays for whoever reads next. */
class LineReader {
  readonly #input: Process['stdin'];
  #rest = Buffer.alloc(0);

  constructor(input: Process['stdin']) {
    this.#input = input;
  }

  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end >= 0 || this.#rest.length > limits.shellLineBytes) return this.#take(end < 0 ? this.#rest.length : end);
      const piece = await this.#input.read();
      if (piece === undefined) return this.#rest.length === 0 ? undefined : this.#take(this.#rest.length);
      this.#rest = Buffer.concat([this.#rest, piece]);
    }
  }

  async read(signal?: AbortSignal): Promise<Buffer | undefined> {
    if (this.#rest.length === 0) return this.#input.read(signal);
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  #take(length: number): string {
    const line = this.#rest.toString('utf8', 0, length);
    this.#rest = this.#rest.subarray(length + 1);
    return line;
  }
}
