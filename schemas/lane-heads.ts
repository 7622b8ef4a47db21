/**
 * Reading the nested messages of a lane: request head, reply head, failure. Fields that are not known are passed over, so that
 * both sides may learn new ones at different times; what is cut short or of a wrong type is a `LaneViolation`.
 */
import { LaneViolation, type LaneFailure, type ReplyHead, type RequestHead } from './lane-codec.ts';

// ASCII too: the decoder of latin1 goes through every byte in JavaScript, and knows another table from 0x80 on.
const toText = new TextDecoder();

/** Walks the fields of one protobuf message. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Number of the field that `next` found. */
  field = 0;
  #type = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes to the next field; its value must then be read or passed over. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.#type = key % 8;
    return true;
  }

  number(): number {
    this.#expect(0);
    return this.#varint();
  }

  text(): string {
    return toText.decode(this.#span());
  }

  /** A bytes field, one char per byte. */
  latin1(): string {
    const bytes = this.#span();
    return isAscii(bytes) ? toText.decode(bytes) : Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }

  message(): Fields {
    return new Fields(this.#span());
  }

  skip(): void {
    switch (this.#type) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#span();
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw new LaneViolation('a field has a type that does not exist');
    }
  }

  #span(): Uint8Array {
    this.#expect(2);
    const length = this.#varint();
    const start = this.#at;
    this.#advance(length);
    return this.#bytes.subarray(start, this.#at);
  }

  #advance(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new LaneViolation('a head is cut short');
  }

  #varint(): number {
    let value = 0;
    for (let shift = 1; shift < 2 ** 64; shift *= 0x80) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new LaneViolation('a head is cut short');
      this.#at += 1;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
    throw new LaneViolation('a number in a head is too long');
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new LaneViolation('a field of a head has the wrong type');
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) {
    if ((bytes[i] ?? 0) > 0x7f) return false;
  }
  return true;
}

/** Reads `LaneHead`. */
export function readRequestHead(bytes: Uint8Array): RequestHead {
  const fields = new Fields(bytes);
  const headers: string[] = [];
  const impersonateGroups: string[] = [];
  let [method, target, impersonateUser, requestId] = ['', '', '', ''];
  let [headTimeoutMs, lifetimeMs, notAfterMs, upgrade] = [0, 0, 0, false];
  while (fields.next()) {
    switch (fields.field) {
      case 1:
        method = fields.text();
        break;
      case 2:
        target = fields.latin1();
        break;
      case 3:
        headers.push(fields.text());
        break;
      case 4:
        impersonateUser = fields.text();
        break;
      case 5:
        impersonateGroups.push(fields.text());
        break;
      case 6:
        requestId = fields.text();
        break;
      case 7:
        headTimeoutMs = fields.number();
        break;
      case 8:
        lifetimeMs = fields.number();
        break;
      case 9:
        notAfterMs = milliseconds(fields.message());
        break;
      case 10:
        upgrade = fields.number() !== 0;
        break;
      default:
        fields.skip();
    }
  }
  return {
    method,
    target,
    headers,
    impersonateUser,
    impersonateGroups,
    requestId,
    headTimeoutMs,
    lifetimeMs,
    notAfterMs,
    upgrade,
  };
}

function milliseconds(timestamp: Fields): number {
  let [seconds, nanos] = [0, 0];
  while (timestamp.next()) {
    if (timestamp.field === 1) seconds = timestamp.number();
    else if (timestamp.field === 2) nanos = timestamp.number();
    else timestamp.skip();
  }
  return seconds * 1000 + Math.floor(nanos / 1_000_000);
}

/** Reads `LaneResponseHead`. */
export function readReplyHead(bytes: Uint8Array): ReplyHead {
  const fields = new Fields(bytes);
  const headers: string[] = [];
  let status = 0;
  while (fields.next()) {
    if (fields.field === 1) status = fields.number();
    else if (fields.field === 2) headers.push(fields.text());
    else fields.skip();
  }
  return { status, headers };
}

/** Reads `LaneError`. */
export function readFailure(bytes: Uint8Array): LaneFailure {
  const fields = new Fields(bytes);
  let [code, message] = ['', ''];
  while (fields.next()) {
    if (fields.field === 1) code = fields.text();
    else if (fields.field === 2) message = fields.text();
    else fields.skip();
  }
  return { code, message };
}
