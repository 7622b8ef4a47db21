/**
 * Splits what arrives on a call into messages: five bytes of head (compressed or not, length) and the message, cut by the
 * network wherever it likes. A message that lies in one piece is handed on as a view of it; one that came in pieces is held,
 * within the budget, until it is whole. It refuses compressed messages and those longer than the limit as soon as it knows.
 *
 * Framing: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import type { Budget } from './budget.ts';
import { GrpcError, status } from './status.ts';

export const headBytes = 5;

export class MessageSplitter {
  readonly #limit: number;
  readonly #budget: Budget;
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(limit: number, budget: Budget) {
    this.#limit = limit;
    this.#budget = budget;
  }

  /** True when bytes of an unfinished message are held. */
  get unfinished(): boolean {
    return this.#held > 0;
  }

  /** The messages that are whole now. Throws `GrpcError`. */
  *take(chunk: Buffer): Generator<Buffer> {
    let rest = this.#join(chunk);
    while (rest !== undefined && rest.byteLength >= headBytes) {
      const length = this.#lengthOf(rest);
      if (rest.byteLength < headBytes + length) break;
      yield rest.subarray(headBytes, headBytes + length);
      rest = rest.subarray(headBytes + length);
    }
    if (rest !== undefined && rest.byteLength > 0) this.#hold(rest);
  }

  /** Gives back what is held. Call it once, when the call is over. */
  drop(): void {
    this.#budget.giveBack(this.#held);
    this.#held = 0;
    this.#pieces = [];
  }

  /** What is there to look at, or undefined while the held message is known to be unfinished still. */
  #join(chunk: Buffer): Buffer | undefined {
    if (this.#held === 0) return chunk;
    this.#hold(chunk);
    const [first] = this.#pieces;
    // Pieces are put together once, when the last one is there, and not again for each.
    if (first !== undefined && first.byteLength >= headBytes && this.#held < headBytes + this.#lengthOf(first)) return;
    const whole = Buffer.concat(this.#pieces);
    this.drop();
    return whole;
  }

  #hold(piece: Buffer): void {
    this.#budget.take(piece.byteLength);
    this.#held += piece.byteLength;
    this.#pieces.push(piece);
    const [first, second] = this.#pieces;
    // The head of the message must lie in the first piece.
    if (first !== undefined && second !== undefined && first.byteLength < headBytes) {
      this.#pieces.splice(0, 2, Buffer.concat([first, second]));
    }
  }

  #lengthOf(message: Buffer): number {
    if (message[0] !== 0) throw new GrpcError(status.unimplemented, 'compressed messages are not served');
    const length = message.readUInt32BE(1);
    if (length <= this.#limit) return length;
    throw new GrpcError(status.resourceExhausted, `a message of ${length} bytes is longer than ${this.#limit}`);
  }
}

/** Puts the head before a message. */
export function framed(message: Buffer): Buffer {
  const out = Buffer.allocUnsafe(headBytes + message.byteLength);
  out[0] = 0;
  out.writeUInt32BE(message.byteLength, 1);
  message.copy(out, headBytes);
  return out;
}
