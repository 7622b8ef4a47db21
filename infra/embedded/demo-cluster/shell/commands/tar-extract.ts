/**
 * Reads a tar archive as it comes and puts what is in it into files.
 */
import { extract, type Extract } from 'tar-stream';
import type { Input } from '../../byte-queue.ts';
import { FileError } from '../../files/file-error.ts';
import { parentOf, resolvePath, segmentsOf } from '../../files/paths.ts';
import { openForWriting } from '../open-file.ts';
import { complain, complainOf, piecesOf, print, type Process } from '../process.ts';
import { roomIn } from './room.ts';

/** What to do with the entries. */
export interface Unpacking {
  directory: string;
  /** Only entries of these names, or below them; all when there are none. */
  operands: readonly string[];
  listOnly: boolean;
  /** Whether files get the time the archive says. */
  dated: boolean;
}

/** One entry of an archive that is being read. */
type Entry = Extract extends AsyncIterable<infer Source> ? Source : never;

const failedCode = 2;

/** Reads an archive to its end; entries that cannot be unpacked are told and passed over. */
export async function unpack(process: Process, input: Input, unpacking: Unpacking): Promise<number> {
  const archive = extract();
  let broken: Error | undefined;
  archive.on('error', (error: Error) => (broken = error));
  const feeding = feed(archive, input);
  // Told below when the archive is whole; else nobody waits for the rest of the input.
  feeding.catch(() => undefined);
  let code = 0;
  try {
    for await (const entry of archive) {
      if (isWanted(entry.header.name, unpacking)) code = Math.max(code, await take(process, entry, unpacking));
      else entry.resume();
    }
  } catch (error) {
    if (broken === undefined || error !== broken) throw error;
    return complain(process, `this does not look like a tar archive: ${broken.message}`, failedCode);
  }
  await feeding;
  return code;
}

async function feed(archive: Extract, input: Input): Promise<void> {
  try {
    for await (const piece of piecesOf(input)) {
      if (archive.destroyed) return;
      if (!archive.write(piece)) await roomIn(archive);
    }
    archive.end(null);
  } catch (error) {
    archive.destroy(null);
    throw error;
  }
}

function isWanted(name: string, { operands }: Unpacking): boolean {
  const plain = resolvePath('/', name);
  const wanted = operands.map((operand) => resolvePath('/', operand));
  return wanted.length === 0 || wanted.some((path) => plain === path || plain.startsWith(`${path}/`));
}

async function take(process: Process, entry: Entry, unpacking: Unpacking): Promise<number> {
  const { name, type } = entry.header;
  if (unpacking.listOnly) {
    entry.resume();
    await print(process.stdout, `${name}\n`);
    return 0;
  }
  if (segmentsOf(name).includes('..')) {
    entry.resume();
    return complain(process, `${name}: member name contains '..'`, failedCode);
  }
  const path = resolvePath(unpacking.directory, `./${name}`);
  try {
    if (type === 'directory') process.machine.files.makeDirectory(path, true).mode = modeOf(entry, 0o755);
    else if (type === 'file' || type === 'contiguous-file')
      await writeFile(process, entry, { path, dated: unpacking.dated });
    else return await complain(process, `${name}: links and devices are not kept by this stand-in`, failedCode);
    return 0;
  } catch (error) {
    await complainOf(process, name, error);
    return failedCode;
  } finally {
    entry.resume();
  }
}

/** @throws FileError, after the entry has been read to its end: what follows it can still be unpacked */
async function writeFile(
  process: Process,
  entry: Entry,
  { path, dated }: { path: string; dated: boolean },
): Promise<void> {
  const { files, now } = process.machine;
  files.makeDirectory(parentOf(path), true);
  const output = openForWriting(files, path, { append: false, at: now() });
  let fault: FileError | undefined;
  for await (const chunk of entry) {
    try {
      if (fault === undefined) await output.write(chunk as Buffer);
    } catch (error) {
      // Leaving the loop would end the archive.
      if (!(error instanceof FileError)) throw error;
      fault = error;
    }
  }
  if (fault !== undefined) throw fault;
  const file = files.at(path);
  file.mode = modeOf(entry, 0o644);
  if (dated) file.modifiedAt = entry.header.mtime;
}

function modeOf({ header }: Entry, usual: number): number {
  return (header.mode || usual) & 0o777;
}
