/**
 * Reads the byte stream of one direction of a lane as it comes: chunks may end anywhere. Data is passed on piece by piece
 * without being collected; only what must be whole to be understood (a head, a failure) is kept, and only up to a limit, so
 * that neither a never-ending head nor a message of a gigabyte costs memory (TN-13). Requests and replies have the same
 * field numbers, so one reader serves both ends.
 */
import { envelopeBytes, LaneViolation } from './lane-codec.ts';

/** What is found, in order. Bytes handed over are views of the chunk: they are good during the call, or as long as the chunk. */
export type LaneSink = {
  head(message: Uint8Array): void;
  data(piece: Uint8Array): void;
  end(): void;
  error(message: Uint8Array): void;
  /** The envelope that ends a Connect stream, JSON. */
  trailer(json: Uint8Array): void;
};

/** A head, a failure or a trailer may have so many bytes. */
export const mostHeadBytes = 131_072;
const mostMessageBytes = 16 * 1024 * 1024;

const endStreamFlag = 2;
const nothing = new Uint8Array(0);

export class LaneReader {
  readonly #sink: LaneSink;
  /** Bytes of the present message that are still to come. */
  #messageLeft = 0;
  /** Bytes of the present data field that are still to come. */
  #dataLeft = 0;
  #trailer = false;
  #finished = false;
  #stopped = false;
  #kept = nothing;
  #keptBytes = 0;
  #needed = 0;

  constructor(sink: LaneSink) {
    this.#sink = sink;
  }

  /** True between two messages, with nothing begun. */
  get isBetweenMessages(): boolean {
    return this.#messageLeft === 0 && this.#keptBytes === 0;
  }

  /** Nothing more is wanted: the rest of the chunk being read, and every later one, is dropped. */
  stop(): void {
    this.#stopped = true;
  }

  /** Reads a chunk. Throws `LaneViolation`; the reader is of no use after that. */
  push(chunk: Uint8Array): void {
    if (this.#stopped) return;
    let bytes = chunk;
    if (this.#keptBytes > 0) {
      this.#keep(chunk);
      if (this.#keptBytes < this.#needed) return;
      bytes = this.#takeKept();
    }
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      if (this.#finished) throw new LaneViolation('there are bytes after the end of the stream');
      const used = this.#step(bytes, at);
      if (used === 0) {
        this.#keep(bytes.subarray(at));
        return;
      }
      at += used;
    }
  }

  /** Reads one thing and returns how many bytes it took; 0 = `#needed` bytes from here on must be there first. */
  #step(bytes: Uint8Array, at: number): number {
    if (this.#trailer) return this.#readTrailer(bytes, at);
    if (this.#dataLeft > 0) {
      const length = Math.min(this.#dataLeft, bytes.length - at);
      this.#dataLeft -= length;
      this.#messageLeft -= length;
      this.#sink.data(at === 0 && length === bytes.length ? bytes : bytes.subarray(at, at + length));
      return length;
    }
    return this.#messageLeft === 0 ? this.#readEnvelope(bytes, at) : this.#readField(bytes, at);
  }

  #readEnvelope(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < envelopeBytes) return this.#need(envelopeBytes);
    const flags = bytes[at] ?? 0;
    const length =
      (bytes[at + 1] ?? 0) * 0x1_00_00_00 +
      ((bytes[at + 2] ?? 0) << 16) +
      ((bytes[at + 3] ?? 0) << 8) +
      (bytes[at + 4] ?? 0);
    if (flags !== 0 && flags !== endStreamFlag) throw new LaneViolation('a message is compressed or has unknown flags');
    if (length > mostMessageBytes) throw new LaneViolation(`a message of ${length} bytes is too long`);
    this.#messageLeft = length;
    if (flags === endStreamFlag) {
      if (length > mostHeadBytes) throw new LaneViolation('the end of the stream is too long');
      this.#trailer = true;
      if (length === 0) this.#finish(nothing);
    }
    return envelopeBytes;
  }

  #readTrailer(bytes: Uint8Array, at: number): number {
    const length = this.#messageLeft;
    if (bytes.length - at < length) return this.#need(length);
    this.#finish(bytes.subarray(at, at + length));
    return length;
  }

  #finish(json: Uint8Array): void {
    this.#finished = true;
    this.#trailer = false;
    this.#messageLeft = 0;
    this.#sink.trailer(json);
  }

  #readField(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#messageLeft);
    const key = varintAt(bytes, at, end);
    if (key === undefined) return this.#needOneMore(bytes, at);
    const type = key.value % 8;
    const field = Math.floor(key.value / 8);
    if (type === 1 || type === 5) return this.#skip(bytes, at, key.next + (type === 1 ? 8 : 4) - at);
    if (type !== 0 && type !== 2) throw new LaneViolation('a field has a type that does not exist');
    const value = varintAt(bytes, key.next, end);
    if (value === undefined) return this.#needOneMore(bytes, at);
    const header = value.next - at;
    if (type === 0) {
      this.#messageLeft -= header;
      if (field === 3 && value.value !== 0) this.#sink.end();
      return header;
    }
    if (header + value.value > this.#messageLeft) throw new LaneViolation('a field is longer than its message');
    if (field === 2) {
      this.#messageLeft -= header;
      this.#dataLeft = value.value;
      return header;
    }
    return this.#readNested(bytes, at, { field, header, length: value.value });
  }

  #readNested(bytes: Uint8Array, at: number, nested: { field: number; header: number; length: number }): number {
    const { field, header, length } = nested;
    if (length > mostHeadBytes) throw new LaneViolation(`a head of ${length} bytes is too long`);
    if (bytes.length - at < header + length) return this.#need(header + length);
    const message = bytes.subarray(at + header, at + header + length);
    this.#messageLeft -= header + length;
    if (field === 1) this.#sink.head(message);
    else if (field === 4) this.#sink.error(message);
    return header + length;
  }

  #skip(bytes: Uint8Array, at: number, length: number): number {
    if (length > this.#messageLeft) throw new LaneViolation('a field is longer than its message');
    if (bytes.length - at < length) return this.#need(length);
    this.#messageLeft -= length;
    return length;
  }

  #needOneMore(bytes: Uint8Array, at: number): number {
    const present = bytes.length - at;
    if (present >= this.#messageLeft) throw new LaneViolation('a field is longer than its message');
    return this.#need(present + 1);
  }

  #need(length: number): 0 {
    this.#needed = length;
    return 0;
  }

  #keep(bytes: Uint8Array): void {
    const total = this.#keptBytes + bytes.length;
    if (total > this.#kept.length) {
      const larger = new Uint8Array(Math.max(64, this.#kept.length * 2, total));
      larger.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptBytes);
    this.#keptBytes = total;
  }

  #takeKept(): Uint8Array {
    const whole = this.#kept.subarray(0, this.#keptBytes);
    this.#kept = nothing;
    this.#keptBytes = 0;
    return whole;
  }
}

type Varint = { readonly value: number; readonly next: number };

// Undefined when it is not all there before `end`.
function varintAt(bytes: Uint8Array, at: number, end: number): Varint | undefined {
  let value = 0;
  let shift = 1;
  for (let i = at; i < end; i += 1) {
    const byte = bytes[i] ?? 0;
    value += (byte & 0x7f) * shift;
    if (byte < 0x80) return { value, next: i + 1 };
    shift *= 0x80;
    if (shift >= 2 ** 64) throw new LaneViolation('a number is too long');
  }
  return undefined;
}
