/**
 * The program `tar` as kubectl cp uses it: `tar cf - PATH`, `tar xmf - -C DIR`, and the same with a file for `-`; `t`
 * lists. Everything is streamed.
 *
 * It refuses links and devices, which the stand-in's files do not know, and compression.
 */
import type { Input, Output } from '../../byte-queue.ts';
import { resolvePath } from '../../files/paths.ts';
import { openForReading, openForWriting } from '../open-file.ts';
import { complain, complainOf, type Process } from '../process.ts';
import { pack } from './tar-create.ts';
import { unpack } from './tar-extract.ts';

/** What kubectl cp and others ask for that the stand-in does anyway. */
const granted = ['--no-same-permissions', '--no-same-owner', '--no-overwrite-dir', '--overwrite', '--numeric-owner'];
const usageCode = 64;

export async function tar(process: Process): Promise<number> {
  const asked = readArguments(process.args);
  if (typeof asked === 'string') return complain(process, asked, usageCode);
  const { letters, archive, operands } = asked;
  const modes = ['c', 'x', 't'].filter((letter) => letters.includes(letter));
  if (modes.length !== 1) return complain(process, "you must specify one of 'c', 'x' and 't'", usageCode);
  const directory = resolvePath(process.workingDirectory, asked.directory);
  try {
    process.machine.files.directoryAt(directory);
  } catch (error) {
    return complainOf(process, `${asked.directory}: cannot open`, error);
  }
  if (modes[0] !== 'c') {
    const input = openArchive(process, archive);
    if ('fault' in input) return complainOf(process, `${archive}: cannot open`, input.fault);
    const [listOnly, dated] = [modes[0] === 't', !letters.includes('m')];
    return unpack(process, input, { directory, operands, listOnly, dated });
  }
  if (operands.length === 0) return complain(process, 'cowardly refusing to create an empty archive', usageCode);
  try {
    return await pack(process, outputTo(process, archive), { directory, operands });
  } catch (error) {
    return complainOf(process, archive, error);
  }
}

interface Asked {
  letters: string;
  archive: string;
  directory: string;
  operands: string[];
}

/**
 * Options may stand anywhere and the first needs no dash; the values of `f` and `C` follow in the order of their
 * letters. Answers the sentence of a complaint when they are none.
 */
function readArguments(args: readonly string[]): Asked | string {
  const asked: Asked = { letters: '', archive: '-', directory: '.', operands: [] };
  const rest = args.filter((argument) => !granted.includes(argument));
  for (let first = true; rest.length > 0; first = false) {
    const argument = rest.shift() ?? '';
    if (argument.startsWith('--')) return `unrecognized option '${argument}'`;
    if (!first && (argument === '-' || !argument.startsWith('-'))) asked.operands.push(argument);
    else {
      for (const letter of argument.replace(/^-/, '')) {
        if (!'cxtmvpofC'.includes(letter)) return `invalid option -- '${letter}'`;
        const value = letter === 'f' || letter === 'C' ? rest.shift() : '';
        if (value === undefined) return `option requires an argument -- '${letter}'`;
        if (letter === 'f') asked.archive = value;
        if (letter === 'C') asked.directory = value;
        asked.letters += letter;
      }
    }
  }
  return asked;
}

function openArchive({ stdin, machine, workingDirectory }: Process, name: string): Input | { fault: unknown } {
  if (name === '-') return stdin;
  try {
    return openForReading(machine.files, resolvePath(workingDirectory, name));
  } catch (fault) {
    return { fault };
  }
}

function outputTo({ stdout, machine, workingDirectory }: Process, name: string): Output {
  const path = resolvePath(workingDirectory, name);
  return name === '-' ? stdout : openForWriting(machine.files, path, { append: false, at: machine.now() });
}
