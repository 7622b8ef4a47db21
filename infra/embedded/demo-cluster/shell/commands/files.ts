/**
 * Programs that look at files and change which there are: ls, mkdir, rm, touch, pwd, test.
 */
import { FileError } from '../../files/file-error.ts';
import type { Node } from '../../files/file-tree.ts';
import { resolvePath } from '../../files/paths.ts';
import { type Options, parseOptions } from '../options.ts';
import { complain, complainOf, print, type Process } from '../process.ts';

export async function ls(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'laA1hd');
  if (typeof options === 'string') return complain(process, options);
  const names = options.operands.length === 0 ? ['.'] : options.operands;
  let code = 0;
  for (const [index, name] of names.entries()) {
    try {
      const path = resolvePath(process.workingDirectory, name);
      const title = names.length > 1 ? `${index === 0 ? '' : '\n'}${name}:\n` : '';
      await print(process.stdout, listing(process.machine.files.at(path), { name, title, options }));
    } catch (error) {
      code = await complainOf(process, name, error);
    }
  }
  return code;
}

export async function mkdir(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'p');
  if (typeof options === 'string') return complain(process, options);
  if (options.operands.length === 0) return complain(process, 'missing operand');
  return eachPath(process, options.operands, (path) => {
    process.machine.files.makeDirectory(path, options.has('p'));
  });
}

export async function rm(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'rRf');
  if (typeof options === 'string') return complain(process, options);
  if (options.operands.length === 0 && !options.has('f')) return complain(process, 'missing operand');
  const { files } = process.machine;
  return eachPath(process, options.operands, (path) => {
    if (options.has('f') && files.find(path) === undefined) return;
    files.remove(path, options.has('r') || options.has('R'));
  });
}

export async function touch(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'c');
  if (typeof options === 'string') return complain(process, options);
  if (options.operands.length === 0) return complain(process, 'missing operand');
  const { files, now } = process.machine;
  return eachPath(process, options.operands, (path) => {
    const existing = files.find(path) ?? (options.has('c') ? undefined : files.fileAt(path));
    if (existing !== undefined) existing.modifiedAt = now();
  });
}

export async function pwd({ stdout, workingDirectory }: Process): Promise<number> {
  await print(stdout, `${workingDirectory}\n`);
  return 0;
}

/** `test` and `[`: kubectl cp asks by it whether a path is a directory. */
export async function test(process: Process): Promise<number> {
  const { args, name } = process;
  if (name === '[' && args.at(-1) !== ']') return complain(process, 'missing ]', 2);
  const asked = name === '[' ? args.slice(0, -1) : [...args];
  const turned = asked[0] === '!';
  const answer = holds(process, turned ? asked.slice(1) : asked);
  if (answer === undefined) return complain(process, `${asked.join(' ')}: unknown test`, 2);
  return Number(answer === turned);
}

function holds({ machine, workingDirectory }: Process, asked: readonly string[]): boolean | undefined {
  const [first = '', second, third = ''] = asked;
  if (asked.length === 0) return false;
  if (asked.length === 1) return first !== '';
  if (asked.length === 3 && (second === '=' || second === '==')) return first === third;
  if (asked.length === 3 && second === '!=') return first !== third;
  if (asked.length !== 2 || second === undefined) return undefined;
  const node = machine.files.find(resolvePath(workingDirectory, second));
  switch (first) {
    case '-e':
    case '-r':
    case '-w':
      return node !== undefined;
    case '-d':
      return node?.kind === 'directory';
    case '-f':
      return node?.kind === 'file';
    case '-x':
      return node !== undefined && (node.mode & 0o111) !== 0;
    case '-s':
      return node?.kind === 'file' && node.size > 0;
    case '-n':
      return second !== '';
    case '-z':
      return second === '';
    default:
      return undefined;
  }
}

/** Does something with each path; faults are told and do not keep the others from being done. */
async function eachPath(process: Process, names: readonly string[], work: (path: string) => void): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      work(resolvePath(process.workingDirectory, name));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      code = await complain(process, `'${name}': ${error.message}`);
    }
  }
  return code;
}

function listing(node: Node, { name, title, options }: { name: string; title: string; options: Options }): string {
  const show = options.has('l') ? longLine : (entry: string): string => `${entry}\n`;
  if (node.kind !== 'directory' || options.has('d')) return show(name, node);
  const all = [...node.entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const visible = all.filter(([entry]) => options.has('a') || options.has('A') || !entry.startsWith('.'));
  const special: [string, Node][] = options.has('a')
    ? [
        ['.', node],
        ['..', node],
      ]
    : [];
  return title + [...special, ...visible].map(([entry, inner]) => show(entry, inner)).join('');
}

function longLine(name: string, node: Node): string {
  const type = { directory: 'd', file: '-', null: 'c' }[node.kind];
  const bits = Array.from('rwxrwxrwx', (letter, at) => ((node.mode >> (8 - at)) & 1 ? letter : '-')).join('');
  const size = node.kind === 'file' ? node.size : node.kind === 'directory' ? 4096 : 0;
  const links = node.kind === 'directory' ? 2 : 1;
  const date = shortDate(node.modifiedAt);
  return `${type}${bits} ${String(links).padStart(4)} root     root     ${String(size).padStart(9)} ${date} ${name}\n`;
}

/** `Jan  2 15:04`, in UTC as everything in the stand-in. */
function shortDate(date: Date): string {
  const [, day = '', month = '', , time = ''] = date.toUTCString().split(' ');
  return `${month} ${day.replace(/^0/, ' ')} ${time.slice(0, 5)}`;
}
