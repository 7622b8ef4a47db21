/**
 * The terminal between a person and a simulated program: it shows what is typed, lets it be corrected until the line
 * is finished, and turns Ctrl-C into an interruption. What a pseudo-terminal of a real node does in its kernel.
 *
 * It refuses raw modes: programs that draw on the whole screen are not among the built-in ones.
 */
import { type Input, Interrupted, type Output } from '../byte-queue.ts';

/** In characters. */
export interface TerminalSize {
  rows: number;
  columns: number;
}

/** Finished lines nobody reads are dropped beyond this, as a kernel drops them; so are characters of a longer line. */
const typedAheadBytes = 4096;
/** A program that asks at once may come before the client's first word about the size. */
const firstSizeMs = 300;

const keys = {
  interrupt: 0x03,
  endOfFile: 0x04,
  backspace: 0x08,
  enter: 0x0d,
  newline: 0x0a,
  killLine: 0x15,
  killWord: 0x17,
  escape: 0x1b,
  erase: 0x7f,
} as const;

export class Terminal implements Input, Output {
  readonly #screen: Output;
  readonly #lines: (Buffer | 'end')[] = [];
  readonly #sizeKnown = Promise.withResolvers<void>();
  #typed: number[] = [];
  #escape: 'none' | 'begun' | 'sequence' = 'none';
  #over = false;
  #wake: (() => void) | undefined;
  #size: TerminalSize = { rows: 0, columns: 0 };
  #interrupt: (() => void) | undefined;

  /** @param screen where the client sees what is written */
  constructor(screen: Output) {
    this.#screen = screen;
  }

  /** Takes what the client types until there is no more. */
  async attend(keyboard: Input, signal: AbortSignal): Promise<void> {
    try {
      for (let chunk = await keyboard.read(signal); chunk !== undefined; chunk = await keyboard.read(signal)) {
        await this.#screen.write(Buffer.concat([...chunk].map((byte) => this.#press(byte))));
      }
    } finally {
      this.#over = true;
      this.#wake?.();
    }
  }

  /** Says what Ctrl-C does from now on; answers what puts back what it did before. */
  onInterrupt(interrupt: () => void): () => void {
    const before = this.#interrupt;
    this.#interrupt = interrupt;
    return () => (this.#interrupt = before);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#sizeKnown.resolve();
  }

  /** The size the client last told; 0 by 0 when it tells none. */
  async size(): Promise<TerminalSize> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, firstSizeMs);
    await Promise.race([this.#sizeKnown.promise, late.promise]);
    clearTimeout(timer);
    return this.#size;
  }

  /** The next finished line; undefined once for each Ctrl-D, and always when the client is gone. */
  async read(signal?: AbortSignal): Promise<Buffer | undefined> {
    const isAborted = (): boolean => signal?.aborted === true;
    while (this.#lines.length === 0 && !this.#over && !isAborted()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal?.removeEventListener('abort', done);
          resolve();
        };
        this.#wake = done;
        signal?.addEventListener('abort', done);
      });
    }
    if (isAborted()) throw new Interrupted();
    const line = this.#lines.shift();
    return line === 'end' ? undefined : line;
  }

  async write(chunk: Buffer): Promise<void> {
    await this.#screen.write(chunk.includes(keys.newline) ? withReturns(chunk) : chunk);
  }

  /** Takes one byte and answers what the screen shows of it. */
  #press(byte: number): Buffer {
    if (this.#escape !== 'none') return this.#passEscape(byte);
    switch (byte) {
      case keys.escape:
        this.#escape = 'begun';
        return nothing;
      case keys.interrupt:
        this.#typed = [];
        this.#lines.length = 0;
        this.#interrupt?.();
        return Buffer.from('^C\r\n');
      case keys.endOfFile:
        if (this.#typed.length === 0) this.#finish('end');
        else this.#finish(Buffer.from(this.#typed));
        return nothing;
      case keys.enter:
      case keys.newline:
        this.#finish(Buffer.from([...this.#typed, keys.newline]));
        return Buffer.from('\r\n');
      case keys.backspace:
      case keys.erase:
        return this.#erase(1);
      case keys.killLine:
        return this.#erase(this.#characters().length);
      case keys.killWord:
        return this.#erase(/\S*\s*$/u.exec(this.#characters().join(''))?.[0].length ?? 0);
      default:
        if (this.#typed.length >= typedAheadBytes || (byte < 0x20 && byte !== 0x09)) return nothing;
        this.#typed.push(byte);
        return Buffer.from([byte]);
    }
  }

  /** Arrow keys and the like: there is nothing they could do. */
  #passEscape(byte: number): Buffer {
    const opens = this.#escape === 'begun' && (byte === 0x5b || byte === 0x4f);
    const goesOn = this.#escape === 'sequence' && byte >= 0x20 && byte < 0x40;
    this.#escape = opens || goesOn ? 'sequence' : 'none';
    return nothing;
  }

  #finish(line: Buffer | 'end'): void {
    this.#typed = [];
    const waiting = this.#lines.reduce((sum, { length }) => sum + length, 0);
    if (waiting < typedAheadBytes) this.#lines.push(line);
    this.#wake?.();
  }

  #erase(count: number): Buffer {
    const characters = this.#characters();
    const erased = Math.min(count, characters.length);
    this.#typed = [...Buffer.from(characters.slice(0, characters.length - erased).join(''))];
    return Buffer.from('\b \b'.repeat(erased));
  }

  #characters(): string[] {
    return Array.from(Buffer.from(this.#typed).toString());
  }
}

const nothing = Buffer.alloc(0);

/** A newline moves down only; the carriage return moves to the left. */
function withReturns(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}
