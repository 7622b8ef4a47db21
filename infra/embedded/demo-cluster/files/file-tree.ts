/**
 * The files of one simulated container: directories, files and a null device, all in memory. Paths are absolute and
 * plain (paths.ts makes them so).
 *
 * It refuses links, owners and permissions, which nobody in the stand-in could tell apart.
 */
import type { Budget } from './budget.ts';
import { FileError } from './file-error.ts';
import { MemoryFile } from './memory-file.ts';
import { baseName, parentOf, segmentsOf } from './paths.ts';

export interface Directory {
  readonly kind: 'directory';
  mode: number;
  modifiedAt: Date;
  readonly entries: Map<string, Node>;
}

/** What swallows everything and is always empty. */
export interface NullDevice {
  readonly kind: 'null';
  mode: number;
  modifiedAt: Date;
}

export type Node = MemoryFile | Directory | NullDevice;

/** What an entry of a directory costs besides its content. */
const entryBytes = 4096;
const longestName = 255;
const deepest = 64;

export class FileTree {
  readonly #budget: Budget;
  readonly #now: () => Date;
  readonly #root: Directory;

  constructor(budget: Budget, now: () => Date) {
    this.#budget = budget;
    this.#now = now;
    this.#root = emptyDirectory(now());
  }

  /** @throws FileError ENOENT, or ENOTDIR when the path leads through a file */
  at(path: string): Node {
    let node: Node = this.#root;
    for (const segment of segmentsOf(path)) {
      if (node.kind !== 'directory') throw new FileError('ENOTDIR');
      const next: Node | undefined = node.entries.get(segment);
      if (next === undefined) throw new FileError('ENOENT');
      node = next;
    }
    return node;
  }

  /** What is at a path; undefined when nothing is, for whatever reason. */
  find(path: string): Node | undefined {
    try {
      return this.at(path);
    } catch {
      return undefined;
    }
  }

  /** @throws FileError ENOENT or ENOTDIR */
  directoryAt(path: string): Directory {
    const node = this.at(path);
    if (node.kind !== 'directory') throw new FileError('ENOTDIR');
    return node;
  }

  /**
   * Makes a directory.
   * @param parents whether those above it are made too; one that exists is then no mistake
   * @throws FileError EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG, ENOSPC
   */
  makeDirectory(path: string, parents = false): Directory {
    if (segmentsOf(path).length > deepest) throw new FileError('ENAMETOOLONG');
    const existing = this.find(path);
    if (existing?.kind === 'directory' && parents) return existing;
    if (existing !== undefined) throw new FileError('EEXIST');
    if (parents) this.makeDirectory(parentOf(path), true);
    const directory = emptyDirectory(this.#now());
    this.#add(path, directory);
    return directory;
  }

  /**
   * The file at a path, made when it is not there; the null device is one that can be written.
   * @throws FileError EISDIR, ENOENT, ENOTDIR, ENOSPC
   */
  fileAt(path: string): MemoryFile | NullDevice {
    const existing = this.find(path);
    if (existing?.kind === 'directory') throw new FileError('EISDIR');
    if (existing !== undefined) return existing;
    const file = new MemoryFile(this.#budget, this.#now());
    this.#add(path, file);
    return file;
  }

  /** Adds a null device. */
  makeNullDevice(path: string): void {
    this.#add(path, { kind: 'null', mode: 0o666, modifiedAt: this.#now() });
  }

  /**
   * Takes away what is at a path.
   * @param recursive whether a directory may go, with all it holds
   * @throws FileError ENOENT, ENOTDIR, EISDIR, EBUSY for the root
   */
  remove(path: string, recursive: boolean): void {
    const node = this.at(path);
    if (node === this.#root) throw new FileError('EBUSY');
    if (node.kind === 'directory' && !recursive) throw new FileError('EISDIR');
    const parent = this.directoryAt(parentOf(path));
    parent.entries.delete(baseName(path));
    parent.modifiedAt = this.#now();
    this.#release(node);
  }

  #release(node: Node): void {
    this.#budget.give(entryBytes);
    if (node.kind === 'file') node.truncate();
    if (node.kind === 'directory') for (const inner of node.entries.values()) this.#release(inner);
  }

  #add(path: string, node: Node): void {
    const name = baseName(path);
    if (Buffer.byteLength(name) > longestName || segmentsOf(path).length > deepest) throw new FileError('ENAMETOOLONG');
    const parent = this.directoryAt(parentOf(path));
    this.#budget.take(entryBytes);
    parent.entries.set(name, node);
    parent.modifiedAt = this.#now();
  }
}

function emptyDirectory(modifiedAt: Date): Directory {
  return { kind: 'directory', mode: 0o755, modifiedAt, entries: new Map() };
}
