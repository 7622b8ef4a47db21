/**
 * Files of a simulated container as inputs and outputs of programs.
 */
import type { Input, Output } from '../byte-queue.ts';
import { FileError } from '../files/file-error.ts';
import type { FileTree } from '../files/file-tree.ts';

/** What is always at its end. */
export const emptyInput: Input = { read: async () => undefined };

/** @throws FileError ENOENT, ENOTDIR or EISDIR */
export function openForReading(files: FileTree, path: string): Input {
  const node = files.at(path);
  if (node.kind === 'directory') throw new FileError('EISDIR');
  if (node.kind === 'null') return emptyInput;
  const blocks = node.read();
  return { read: async () => (await blocks.next()).value ?? undefined };
}

/**
 * A file that is written, made when it is not there. Writing throws FileError when there is no room.
 * @throws FileError ENOENT, ENOTDIR, EISDIR or ENOSPC
 */
export function openForWriting(files: FileTree, path: string, given: { append: boolean; at: Date }): Output {
  const file = files.fileAt(path);
  if (file.kind === 'null') return { write: async () => undefined };
  if (!given.append) file.truncate();
  file.modifiedAt = given.at;
  return { write: async (chunk) => file.append(chunk) };
}
