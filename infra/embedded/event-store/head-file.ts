/**
 * The last commit that anybody may have heard of, in a small file of its own beside the database: its position and its hash.
 * It is written after the commit is on disk and before the commit is answered, so it is never ahead of the log; a start that
 * finds the log ending before it knows that acknowledged events are gone. That tells a damaged last commit from one that a
 * crash tore, which the write-ahead log by itself cannot, and it finds newest events that a damaged page hides.
 *
 * It is not synchronised with each commit: it survives the death of the process at any instruction. After a power failure it
 * may lag behind, by what the system had not written yet, and then it only proves less.
 *
 *   magic (8)  position (8)  hash (32)  the first 16 bytes of sha256 over all before
 */
import { hash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { ChainCursor } from './chain-check.ts';

const magic = Buffer.from('esHead1\n');
const bodyBytes = 48;
const fileBytes = 64;

/** What the file says; `unreadable` when it is not what was written, which costs nothing but its help. */
export type FoundHead = ChainCursor | 'none' | 'unreadable';

export function readHead(path: string): FoundHead {
  if (!existsSync(path)) return 'none';
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(fileBytes);
    const length = readSync(file, bytes, 0, fileBytes, 0);
    if (length === 0) return 'none';
    if (!seal(bytes).equals(bytes.subarray(bodyBytes)) || !bytes.subarray(0, 8).equals(magic)) return 'unreadable';
    return { position: bytes.readDoubleBE(8), hash: Buffer.from(bytes.subarray(16, bodyBytes)) };
  } finally {
    closeSync(file);
  }
}

export class HeadFile {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(fileBytes);

  constructor(path: string) {
    this.#file = openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600);
    magic.copy(this.#bytes);
  }

  /** Throws the system's errors; a disk that is full is none, as the bytes are there since the first commit. */
  write({ position, hash: chained }: ChainCursor): void {
    this.#bytes.writeDoubleBE(position, 8);
    this.#bytes.set(chained, 16);
    seal(this.#bytes).copy(this.#bytes, bodyBytes);
    writeSync(this.#file, this.#bytes, 0, fileBytes, 0);
  }

  sync(): void {
    fsyncSync(this.#file);
  }

  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
  }
}

function seal(bytes: Buffer): Buffer {
  return hash('sha256', bytes.subarray(0, bodyBytes), 'buffer').subarray(0, fileBytes - bodyBytes);
}
