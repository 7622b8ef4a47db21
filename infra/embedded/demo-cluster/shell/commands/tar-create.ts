/**
 * Writes files as a tar archive, one block at a time.
 */
import { pack as newArchive, type Pack } from 'tar-stream';
import type { Output } from '../../byte-queue.ts';
import type { Node } from '../../files/file-tree.ts';
import type { MemoryFile } from '../../files/memory-file.ts';
import { joined, resolvePath } from '../../files/paths.ts';
import { complain, complainOf, type Process } from '../process.ts';
import { roomIn } from './room.ts';

const partlyFailedCode = 2;

/**
 * Writes an archive of the named files, as seen from a directory.
 * @throws what writing to the output throws
 */
export async function pack(
  process: Process,
  output: Output,
  { directory, operands }: { directory: string; operands: readonly string[] },
): Promise<number> {
  const archive = newArchive();
  let code = 0;
  const fill = async (): Promise<void> => {
    for (const operand of operands) {
      try {
        const node = process.machine.files.at(resolvePath(directory, operand));
        await addTree(archive, await memberName(process, operand), node);
      } catch (error) {
        await complainOf(process, operand, error);
        code = partlyFailedCode;
      }
    }
    archive.finalize();
  };
  const drain = async (): Promise<void> => {
    try {
      for await (const chunk of archive) await output.write(chunk as Buffer);
    } finally {
      archive.destroy(null);
    }
  };
  await Promise.all([fill(), drain()]);
  return code;
}

/** Archives hold no absolute names; `..` would lead out of where they are unpacked. */
async function memberName(process: Process, operand: string): Promise<string> {
  if (operand.startsWith('/')) await complain(process, "removing leading '/' from member names", 0);
  const name = operand.replace(/^(?:\.\.\/|\/)+/, '').replace(/\/+$/, '');
  return name === '' ? '.' : name;
}

async function addTree(archive: Pack, name: string, node: Node): Promise<void> {
  if (archive.destroyed) return;
  const header = { name, mode: node.mode, mtime: node.modifiedAt };
  if (node.kind === 'null') return;
  if (node.kind === 'file') return addFile(archive, header, node);
  archive.entry({ ...header, name: `${name}/`, type: 'directory' });
  const inside = [...node.entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [entry, inner] of inside) await addTree(archive, joined(name, entry), inner);
}

async function addFile(
  archive: Pack,
  header: { name: string; mode: number; mtime: Date },
  file: MemoryFile,
): Promise<void> {
  const { size } = file;
  const entry = archive.entry({ ...header, size, type: 'file' });
  // An archive that is destroyed ends its entries with an error; whoever destroyed it knows.
  entry.on('error', () => undefined);
  for await (const block of exactly(file, size)) {
    if (archive.destroyed) return;
    if (!entry.write(block)) await roomIn(entry);
  }
  const closed = new Promise<void>((resolve) => entry.once('close', resolve));
  entry.end(null);
  await closed;
}

/** The content in the size the header promised, whatever happens to the file meanwhile. */
async function* exactly(file: MemoryFile, size: number): AsyncGenerator<Buffer> {
  let left = size;
  for await (const block of file.read()) {
    yield block.subarray(0, left);
    left -= Math.min(left, block.length);
  }
  for (const zeros = Buffer.alloc(64 * 1024); left > 0; left -= Math.min(left, zeros.length))
    yield zeros.subarray(0, left);
}
