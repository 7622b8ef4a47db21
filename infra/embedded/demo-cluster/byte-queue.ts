/**
 * Bytes on their way from one part of the stand-in to another: what a pipe is between two programs, and what a client
 * sent that nobody has read yet. One side writes and waits while the other is behind; either side may leave.
 *
 * Invariant: what waits in a queue is counted by what it costs, not by what it says, so small pieces cannot hide
 * large buffers.
 */

/** Where a program reads from. */
export interface Input {
  /**
   * The next piece; undefined at the end.
   * @throws Interrupted when the signal is aborted first; nothing is lost then
   */
  read(signal?: AbortSignal): Promise<Buffer | undefined>;
}

/** Where a program writes to. */
export interface Output {
  /**
   * Answers when there is room for more.
   * @throws BrokenPipe when nobody reads any more
   */
  write(chunk: Buffer): Promise<void>;
}

/** Nobody reads what is written. */
export class BrokenPipe extends Error {
  constructor() {
    super('nobody reads any more');
  }
}

/** Whoever waited was told to stop waiting. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** For work whose other end may have left: that is no fault. @throws what is one */
export function ignoreLeaving(error: unknown): void {
  if (!(error instanceof BrokenPipe || error instanceof Interrupted)) throw error;
}

/** What a waiting piece costs besides its bytes. */
const pieceOverheadBytes = 128;
/** A piece that keeps alive more than this many times its own size is copied. */
const pinFactor = 4;

/** A queue of bytes with any number of writers and one reader. */
export class ByteQueue implements Input, Output {
  readonly #limit: number;
  readonly #left: (bytes: number) => void;
  readonly #pieces: Buffer[] = [];
  readonly #room = new Set<() => void>();
  #cost = 0;
  #ended = false;
  #cancelled = false;
  #arrived: (() => void) | undefined;

  /**
   * @param limit cost in bytes at which writers begin to wait
   * @param left told how many bytes left the queue, read or dropped
   */
  constructor(limit: number, left: (bytes: number) => void = () => undefined) {
    this.#limit = limit;
    this.#left = left;
  }

  /** Adds a piece without waiting; false when the queue is full, or when nobody will read it. */
  push(chunk: Buffer): boolean {
    if (this.#cancelled || this.#ended) {
      this.#left(chunk.length);
      return false;
    }
    if (chunk.length > 0) {
      this.#pieces.push(unpinned(chunk));
      this.#cost += chunk.length + pieceOverheadBytes;
      this.#arrived?.();
    }
    return this.#cost <= this.#limit;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#cancelled || this.#ended) throw new BrokenPipe();
    if (this.push(chunk)) return;
    await new Promise<void>((resolve) => this.#room.add(resolve));
    if (this.#cancelled) throw new BrokenPipe();
  }

  async read(signal?: AbortSignal): Promise<Buffer | undefined> {
    while (this.#pieces.length === 0 && !this.#ended && !this.#cancelled) await this.#arrival(signal);
    const piece = this.#pieces.shift();
    if (piece === undefined) return undefined;
    this.#cost -= piece.length + pieceOverheadBytes;
    if (this.#cost <= this.#limit) this.#wakeWriters();
    this.#left(piece.length);
    return piece;
  }

  /** The writer is done: what waits can still be read. */
  end(): void {
    this.#ended = true;
    this.#arrived?.();
    this.#wakeWriters();
  }

  /** The reader is gone: what waits is dropped and writers are told. */
  cancel(): void {
    const dropped = this.#pieces.splice(0).reduce((sum, { length }) => sum + length, 0);
    this.#cost = 0;
    this.#cancelled = true;
    this.#arrived?.();
    this.#wakeWriters();
    if (dropped > 0) this.#left(dropped);
  }

  #wakeWriters(): void {
    for (const wake of this.#room) wake();
    this.#room.clear();
  }

  async #arrival(signal: AbortSignal | undefined): Promise<void> {
    const isAborted = (): boolean => signal?.aborted === true;
    if (isAborted()) throw new Interrupted();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#arrived = undefined;
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#arrived = done;
      signal?.addEventListener('abort', done);
    });
    if (isAborted()) throw new Interrupted();
  }
}

function unpinned(chunk: Buffer): Buffer {
  return chunk.buffer.byteLength > chunk.length * pinFactor ? Buffer.from(chunk) : chunk;
}
