/**
 * Reads one protobuf message field by field, without copying what it holds. It trusts nothing: a length beyond the message,
 * a number longer than ten bytes or a wire type that protobuf no longer has ends in `MalformedMessage`. What a field means is
 * the caller's business; a field that nobody knows is skipped, as the format wants it.
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { GrpcError, status } from './status.ts';

/** The bytes are no protobuf message, or not the one that was expected. The call that sent it ends with INTERNAL, as gRPC has it. */
export class MalformedMessage extends GrpcError {
  constructor(reason: string) {
    super(status.internal, `malformed message: ${reason}`);
    this.name = 'MalformedMessage';
  }
}

const varintType = 0;
const fixed64Type = 1;
const lengthType = 2;
const fixed32Type = 5;

/** `while (reader.next()) switch (reader.field) { case 1: reader.bytes(); …; default: reader.skip(); }` */
export class WireReader {
  /** Number of the field that `next` found. */
  field = 0;
  #type = 0;
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** False at the end of the message. Each found field must be taken by exactly one of the calls below. */
  next(): boolean {
    if (this.#at >= this.#bytes.byteLength) return false;
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.#type = key % 8;
    if (this.field < 1 || this.field > 0x1fff_ffff) throw new MalformedMessage(`field ${this.field}`);
    return true;
  }

  /** The bytes of a length-delimited field: a view of the message, not a copy. */
  bytes(): Buffer {
    this.#expect(lengthType);
    const end = this.#varint() + this.#at;
    if (end > this.#bytes.byteLength) throw new MalformedMessage('a length beyond the end');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** A string; bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    return this.bytes().toString();
  }

  /** A message inside this one. */
  message(): WireReader {
    return new WireReader(this.bytes());
  }

  /** A uint32, bool or enum, or a uint64 of which only the size matters: anything above 2^53 - 1 comes as 2^53 - 1. */
  number(): number {
    this.#expect(varintType);
    return Math.min(this.#varint(), Number.MAX_SAFE_INTEGER);
  }

  /** A uint64 or int64 as it is, as its 64 bits. */
  uint64(): bigint {
    this.#expect(varintType);
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedMessage('a number of more than ten bytes');
  }

  skip(): void {
    if (this.#type === varintType) this.#varint();
    else if (this.#type === lengthType) this.bytes();
    else if (this.#type === fixed64Type) this.#leap(8);
    else if (this.#type === fixed32Type) this.#leap(4);
    else throw new MalformedMessage(`wire type ${this.#type}`);
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new MalformedMessage(`field ${this.field} has wire type ${this.#type}, not ${type}`);
  }

  #leap(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#bytes.byteLength) throw new MalformedMessage('it breaks off');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new MalformedMessage('it breaks off');
    this.#at += 1;
    return byte;
  }

  /** Exact up to 2^53 and roughly right above. */
  #varint(): number {
    let value = 0;
    let unit = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
    throw new MalformedMessage('a number of more than ten bytes');
  }
}
