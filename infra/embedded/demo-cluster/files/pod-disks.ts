/**
 * The files of all simulated containers. They are there from the first program that runs in a pod until the pod is
 * gone; a restart of the stand-in begins with fresh ones.
 */
import { limits } from '../limits.ts';
import { Budget } from './budget.ts';
import { FileTree } from './file-tree.ts';

interface Disk {
  budget: Budget;
  trees: Map<string, FileTree>;
}

export class PodDisks {
  readonly #now: () => Date;
  readonly #all = new Budget(limits.allFileBytes);
  readonly #disks = new Map<string, Disk>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Bytes in use by all pods. */
  get usedBytes(): number {
    return this.#all.usedBytes;
  }

  /**
   * The files of one container.
   * @param fill puts in what is there at the start
   * @throws FileError ENOSPC when not even that fits
   */
  treeOf(podUid: string, container: string, fill: (tree: FileTree) => void): FileTree {
    const disk = this.#disks.get(podUid) ?? { budget: new Budget(limits.podFileBytes, this.#all), trees: new Map() };
    const existing = disk.trees.get(container);
    if (existing !== undefined) return existing;
    const tree = new FileTree(disk.budget, this.#now);
    this.#disks.set(podUid, disk);
    fill(tree);
    disk.trees.set(container, tree);
    return tree;
  }

  /** The pod is gone, and its files with it. */
  forget(podUid: string): void {
    this.#disks.get(podUid)?.budget.close();
    this.#disks.delete(podUid);
  }
}
