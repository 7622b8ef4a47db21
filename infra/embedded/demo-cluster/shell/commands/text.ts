/**
 * Programs that pass text on: cat, echo, head, tail, tee, wc, sha256sum. They take files or, without any, stdin, and
 * never hold more than a piece of it (tail holds what it may have to print).
 */
import { createHash } from 'node:crypto';
import type { Input, Output } from '../../byte-queue.ts';
import { resolvePath } from '../../files/paths.ts';
import { openForReading, openForWriting } from '../open-file.ts';
import { parseOptions } from '../options.ts';
import { complain, complainOf, piecesOf, print, type Process } from '../process.ts';

const newline = 0x0a;
/** What tail keeps of a long input. */
const keptBytes = 1024 * 1024;

export async function cat(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'u');
  if (typeof options === 'string') return complain(process, options);
  return eachInput(process, options.operands, async (input) => {
    for await (const piece of piecesOf(input)) await process.stdout.write(piece);
  });
}

export async function echo({ args, stdout }: Process): Promise<number> {
  const [first] = args;
  const bare = first === '-n';
  await print(stdout, (bare ? args.slice(1) : args).join(' ') + (bare ? '' : '\n'));
  return 0;
}

export async function head(process: Process): Promise<number> {
  const options = parseOptions(withCount(process.args), '', 'nc');
  if (typeof options === 'string') return complain(process, options);
  const [bytes, lines] = [options.value('c'), options.value('n') ?? '10'];
  const count = wholeNumber(bytes ?? lines);
  if (count === undefined) return complain(process, `invalid number '${bytes ?? lines}'`);
  return eachInput(process, options.operands, (input) =>
    bytes === undefined ? firstLines(input, process.stdout, count) : firstBytes(input, process.stdout, count),
  );
}

export async function tail(process: Process): Promise<number> {
  const options = parseOptions(withCount(process.args), '', 'nc');
  if (typeof options === 'string') return complain(process, options);
  const [bytes, lines] = [options.value('c'), options.value('n') ?? '10'];
  const wanted = bytes ?? lines;
  const count = wholeNumber(wanted.replace(/^\+/, ''));
  if (count === undefined) return complain(process, `invalid number '${wanted}'`);
  return eachInput(process, options.operands, async (input) => {
    if (!wanted.startsWith('+')) await process.stdout.write(await lastOf(input, count, bytes !== undefined));
    else await restAfter(input, process.stdout, { count: Math.max(0, count - 1), ofBytes: bytes !== undefined });
  });
}

export async function tee(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'ai');
  if (typeof options === 'string') return complain(process, options);
  const outputs: Output[] = [process.stdout];
  const { machine, workingDirectory } = process;
  let code = 0;
  for (const name of options.operands) {
    try {
      const path = resolvePath(workingDirectory, name);
      outputs.push(openForWriting(machine.files, path, { append: options.has('a'), at: machine.now() }));
    } catch (error) {
      code = await complainOf(process, name, error);
    }
  }
  for await (const piece of piecesOf(process.stdin)) {
    for (const output of outputs) await output.write(piece);
  }
  return code;
}

export async function wc(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'lwc');
  if (typeof options === 'string') return complain(process, options);
  const asked = ['l', 'w', 'c'].filter((letter) => options.has(letter));
  const shown = asked.length === 0 ? ['l', 'w', 'c'] : asked;
  return eachInput(process, options.operands, async (input, name) => {
    const counts = await count(input);
    const numbers = shown.map((letter) => String(counts[letter] ?? 0).padStart(shown.length === 1 ? 0 : 8));
    await print(process.stdout, `${numbers.join('')}${name === '' ? '' : ` ${name}`}\n`);
  });
}

export async function sha256sum(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'b');
  if (typeof options === 'string') return complain(process, options);
  return eachInput(process, options.operands, async (input, name) => {
    const hash = createHash('sha256');
    for await (const piece of piecesOf(input)) hash.update(piece);
    await print(process.stdout, `${hash.digest('hex')}  ${name || '-'}\n`);
  });
}

/** Gives each named file to the work, or stdin when none is named; `-` names stdin. */
async function eachInput(
  process: Process,
  names: readonly string[],
  work: (input: Input, name: string) => Promise<void>,
): Promise<number> {
  if (names.length === 0) await work(process.stdin, '');
  let code = 0;
  for (const name of names) {
    if (name === '-') await work(process.stdin, name);
    else {
      const input = opened(process, name);
      if ('read' in input) await work(input, name);
      else code = await complainOf(process, name, input.fault);
    }
  }
  return code;
}

function opened({ machine, workingDirectory }: Process, name: string): Input | { fault: unknown } {
  try {
    return openForReading(machine.files, resolvePath(workingDirectory, name));
  } catch (fault) {
    return { fault };
  }
}

async function firstBytes(input: Input, output: Output, count: number): Promise<void> {
  let left = count;
  while (left > 0) {
    const piece = await input.read();
    if (piece === undefined) return;
    await output.write(piece.subarray(0, left));
    left -= piece.length;
  }
}

async function firstLines(input: Input, output: Output, count: number): Promise<void> {
  let left = count;
  while (left > 0) {
    const piece = await input.read();
    if (piece === undefined) return;
    const cut = endOfLines(piece, left);
    await output.write(piece.subarray(0, cut.at));
    left = cut.left;
  }
}

/** Where so many lines end in a piece, and how many are still to come. */
function endOfLines(piece: Buffer, lines: number): { at: number; left: number } {
  let left = lines;
  for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, at + 1)) {
    left -= 1;
    if (left === 0) return { at: at + 1, left };
  }
  return { at: piece.length, left };
}

async function restAfter(
  input: Input,
  output: Output,
  { count: skipped, ofBytes }: { count: number; ofBytes: boolean },
): Promise<void> {
  let left = skipped;
  for await (const piece of piecesOf(input)) {
    const cut = ofBytes
      ? { at: Math.min(left, piece.length), left: left - Math.min(left, piece.length) }
      : left === 0
        ? { at: 0, left }
        : endOfLines(piece, left);
    left = cut.left;
    if (cut.at < piece.length) await output.write(piece.subarray(cut.at));
  }
}

async function lastOf(input: Input, wanted: number, ofBytes: boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of piecesOf(input)) {
    pieces.push(piece);
    bytes += piece.length;
    while (bytes - (pieces[0]?.length ?? 0) >= keptBytes) bytes -= pieces.shift()?.length ?? 0;
  }
  const kept = Buffer.concat(pieces);
  if (ofBytes) return wanted === 0 ? Buffer.alloc(0) : kept.subarray(-wanted);
  // The newline at the very end closes the last line and opens none.
  let at = kept.length - 1;
  for (let left = wanted; left > 0 && at >= 0; left -= 1) at = at === 0 ? -1 : kept.lastIndexOf(newline, at - 1);
  return wanted === 0 ? Buffer.alloc(0) : kept.subarray(at + 1);
}

async function count(input: Input): Promise<Record<string, number>> {
  const counts = { l: 0, w: 0, c: 0 };
  let inWord = false;
  for await (const piece of piecesOf(input)) {
    counts.c += piece.length;
    for (const byte of piece) {
      if (byte === newline) counts.l += 1;
      const blank = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
      if (!blank && !inWord) counts.w += 1;
      inWord = !blank;
    }
  }
  return counts;
}

/** `-5` is short for `-n 5`. */
function withCount(args: readonly string[]): string[] {
  return args.flatMap((argument, index) =>
    index === 0 && /^-\d+$/.test(argument) ? ['-n', argument.slice(1)] : [argument],
  );
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
