/**
 * Writes protobuf from the last byte to the first. A message inside a message is preceded by its length, which is known once
 * it has been written: backwards nothing is measured beforehand and nothing is copied afterwards. Fields come in reverse, and
 * the caller knows an upper bound of what all of them need.
 */
export class BackwardsWriter {
  readonly #buffer: Buffer;
  #at: number;

  constructor(mostBytes: number) {
    this.#buffer = Buffer.allocUnsafe(mostBytes);
    this.#at = mostBytes;
  }

  /** What was written so far, first byte first. */
  get written(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  /** Where a message ends that is written next; give it to `message` once its fields are there. */
  get mark(): number {
    return this.#at;
  }

  /** The fields written since the mark become one message. */
  message(field: number, mark: number): void {
    this.varint(mark - this.#at);
    this.varint(field * 8 + 2);
  }

  /** Puts gRPC's head before what was written since the mark. */
  frame(mark: number): void {
    this.#at -= 5;
    this.#buffer[this.#at] = 0;
    this.#buffer.writeUInt32BE(mark - this.#at - 5, this.#at + 1);
  }

  bytes(field: number, value: Buffer): void {
    this.#at -= value.byteLength;
    value.copy(this.#buffer, this.#at);
    this.varint(value.byteLength);
    this.varint(field * 8 + 2);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#at -= length;
    this.#buffer.write(value, this.#at, length);
    this.varint(length);
    this.varint(field * 8 + 2);
  }

  number(field: number, value: number | bigint): void {
    this.varint(value);
    this.varint(field * 8);
  }

  varint(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#bigVarint(BigInt.asUintN(64, value));
      return;
    }
    let size = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
    this.#at -= size;
    let rest = value;
    for (let at = this.#at; size > 0; at += 1, size -= 1) {
      this.#buffer[at] = (rest % 0x80) | (size > 1 ? 0x80 : 0);
      rest = Math.floor(rest / 0x80);
    }
  }

  #bigVarint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }
}
