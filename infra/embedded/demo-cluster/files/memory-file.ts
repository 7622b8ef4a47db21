/**
 * The content of one file in memory: blocks that are filled one after the other, so a large file is never copied and
 * a small one takes little.
 *
 * Invariant: bytes that were written are never written over, so a reader may hold on to what it was given.
 */
import { setImmediate } from 'node:timers/promises';
import type { Budget } from './budget.ts';

const smallestBlock = 256;
const largestBlock = 64 * 1024;
/** A reader lets others run after so many blocks. */
const blocksPerTurn = 16;

export class MemoryFile {
  readonly kind = 'file';
  mode = 0o644;
  modifiedAt: Date;
  readonly #budget: Budget;
  #blocks: Buffer[] = [];
  /** Bytes of the last block in use. */
  #filled = 0;
  #size = 0;

  constructor(budget: Budget, modifiedAt: Date) {
    this.#budget = budget;
    this.modifiedAt = modifiedAt;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** @throws FileError ENOSPC; what fitted is there */
  append(data: Buffer): void {
    for (let at = 0; at < data.length;) {
      const block = this.#blockWithRoom(data.length - at);
      const copied = data.copy(block, this.#filled, at);
      at += copied;
      this.#filled += copied;
      this.#size += copied;
    }
  }

  /** Takes the content away; whoever reads it is at its end. */
  truncate(): void {
    this.#budget.give(this.#blocks.reduce((sum, { length }) => sum + length, 0));
    this.#blocks = [];
    this.#filled = 0;
    this.#size = 0;
  }

  /** The content as it is now; what is appended later is not part of it. */
  async *read(): AsyncGenerator<Buffer> {
    const blocks = this.#blocks;
    for (let [left, index] = [this.#size, 0]; left > 0; index += 1) {
      const block = blocks[index];
      // Truncated or deleted meanwhile: its room is given back, so it may not be kept alive from here.
      if (block === undefined || blocks !== this.#blocks) return;
      if (index % blocksPerTurn === blocksPerTurn - 1) await setImmediate();
      yield block.subarray(0, Math.min(left, block.length));
      left -= block.length;
    }
  }

  #blockWithRoom(wanted: number): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#filled < last.length) return last;
    const grows = last !== undefined && last.length < largestBlock;
    const least = grows ? last.length + wanted : wanted;
    const length = Math.min(largestBlock, Math.max(smallestBlock, 2 ** Math.ceil(Math.log2(least))));
    this.#budget.take(grows ? length - last.length : length);
    const block = Buffer.alloc(length);
    if (grows) {
      last.copy(block);
      this.#blocks[this.#blocks.length - 1] = block;
    } else {
      this.#blocks.push(block);
      this.#filled = 0;
    }
    return block;
  }
}
