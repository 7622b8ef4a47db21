/**
 * The hand-written codec of a lane's messages (`TunnelService.Exchange`): protobuf inside Connect's five-byte envelope, byte for
 * byte what a stock Connect peer reads and writes. It exists because one message object and one pass through a generic
 * pipeline per request cost several times the request itself. Browser-safe: bytes in, bytes out. `lane-reader.ts` reads.
 *
 * Text that holds one char per byte (request target, header values) travels as the schema says: the target as raw bytes,
 * header text as UTF-8 of those chars.
 */

/** A request's head as a lane carries it. */
export type RequestHead = {
  readonly method: string;
  /** Request target, one char per byte. */
  readonly target: string;
  /** Name, value, name, value: one char per byte. */
  readonly headers: readonly string[];
  readonly impersonateUser: string;
  readonly impersonateGroups: readonly string[];
  readonly requestId: string;
  readonly headTimeoutMs: number;
  /** What remains of the access when sent; 0 = no limit. */
  readonly lifetimeMs: number;
  /** The same as an instant, milliseconds since the epoch; for logs. */
  readonly notAfterMs: number;
  readonly upgrade: boolean;
};

/** A reply's head. */
export type ReplyHead = { readonly status: number; readonly headers: readonly string[] };

/** Why there is no reply, or no rest of it. */
export type LaneFailure = { readonly code: string; readonly message: string };

/** The other side sent what the protocol does not allow. The lane is reset; nobody else notices (TN-12). */
export class LaneViolation extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'LaneViolation';
  }
}

/** Length of an envelope's own bytes: flags and length. */
export const envelopeBytes = 5;

/** Writes messages. What a method returns is a view of its scratch memory: copy it before the next call. */
export class LaneEncoder {
  #bytes = new Uint8Array(4096);
  #at = 0;

  /** One message of a request: head, data, end, or what is there of them. */
  request(parts: { head?: RequestHead; data?: Uint8Array; end?: boolean }): Uint8Array {
    this.#at = envelopeBytes;
    if (parts.head) this.#requestHead(parts.head);
    if (parts.data && parts.data.length > 0) this.#data([parts.data], parts.data.length);
    if (parts.end) this.#varintField(3, 1);
    return this.#envelope();
  }

  /** One message of a reply: head, data, end, or what is there of them; or a failure. */
  reply(parts: { head?: ReplyHead; data?: readonly Uint8Array[]; end?: boolean; error?: LaneFailure }): Uint8Array {
    this.#at = envelopeBytes;
    if (parts.head) this.#replyHead(parts.head);
    const length = (parts.data ?? []).reduce((sum, piece) => sum + piece.length, 0);
    if (length > 0) this.#data(parts.data ?? [], length);
    if (parts.end) this.#varintField(3, 1);
    if (parts.error) this.#error(parts.error);
    return this.#envelope();
  }

  /** What goes before `length` bytes of data that are written by themselves: envelope, tag and length. */
  dataPrefix(length: number): Uint8Array {
    this.#at = envelopeBytes;
    this.#varint(dataTag);
    this.#varint(length);
    return this.#envelope(length);
  }

  #requestHead(head: RequestHead): void {
    const start = this.#open(1);
    this.#text(1, head.method);
    this.#latin1(2, head.target);
    for (const line of head.headers) this.#text(3, line, 'even if empty');
    this.#text(4, head.impersonateUser);
    for (const group of head.impersonateGroups) this.#text(5, group, 'even if empty');
    this.#text(6, head.requestId);
    this.#varintField(7, head.headTimeoutMs);
    this.#varintField(8, head.lifetimeMs);
    const timestamp = this.#open(9);
    this.#varintField(1, Math.floor(head.notAfterMs / 1000));
    this.#varintField(2, Math.floor(head.notAfterMs % 1000) * 1_000_000);
    this.#close(timestamp);
    this.#varintField(10, head.upgrade ? 1 : 0);
    this.#close(start);
  }

  #replyHead(head: ReplyHead): void {
    const start = this.#open(1);
    this.#varintField(1, head.status);
    for (const line of head.headers) this.#text(2, line, 'even if empty');
    this.#close(start);
  }

  #error(error: LaneFailure): void {
    const start = this.#open(4);
    this.#text(1, error.code);
    this.#text(2, error.message);
    this.#close(start);
  }

  #data(pieces: readonly Uint8Array[], length: number): void {
    this.#room(length + 10);
    this.#varint(dataTag);
    this.#varint(length);
    for (const piece of pieces) {
      this.#bytes.set(piece, this.#at);
      this.#at += piece.length;
    }
  }

  #envelope(dataToCome = 0): Uint8Array {
    const length = this.#at - envelopeBytes + dataToCome;
    this.#bytes[0] = 0;
    this.#bytes[1] = length >>> 24;
    this.#bytes[2] = length >>> 16;
    this.#bytes[3] = length >>> 8;
    this.#bytes[4] = length;
    return this.#bytes.subarray(0, this.#at);
  }

  // The length of a nested message is known when it ends: three bytes are kept for it, as a varint with a long zero.
  #open(field: number): number {
    this.#room(8);
    this.#varint(field * 8 + 2);
    this.#at += 3;
    return this.#at;
  }

  #close(start: number): void {
    const length = this.#at - start;
    if (length > 0x1f_ffff) throw new Error(`a head of ${length} bytes is too long for a lane`);
    this.#bytes[start - 3] = (length & 0x7f) | 0x80;
    this.#bytes[start - 2] = ((length >>> 7) & 0x7f) | 0x80;
    this.#bytes[start - 1] = length >>> 14;
  }

  #varintField(field: number, value: number): void {
    const whole = Math.floor(value);
    if (whole <= 0) return;
    this.#room(12);
    this.#varint(field * 8);
    this.#varint(whole);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #text(field: number, text: string, empty?: 'even if empty'): void {
    if (text === '' && empty === undefined) return;
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    this.#room(text.length * 3 + 8);
    const start = this.#at;
    this.#varint(field * 8 + 2);
    this.#varint(text.length);
    if (this.#ascii(text)) return;
    const bytes = toUtf8.encode(text);
    this.#at = start;
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  // False when there is another char than ASCII; what was written then does not count.
  #ascii(text: string): boolean {
    const { length } = text;
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < length; i += 1) {
      const char = text.charCodeAt(i);
      if (char > 0x7f) return false;
      bytes[at + i] = char;
    }
    this.#at = at + length;
    return true;
  }

  #latin1(field: number, text: string): void {
    if (text === '') return;
    this.#room(text.length + 8);
    this.#varint(field * 8 + 2);
    this.#varint(text.length);
    for (let i = 0; i < text.length; i += 1) this.#bytes[this.#at++] = text.charCodeAt(i);
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** Field 2, bytes. */
const dataTag = 0x12;
const toUtf8 = new TextEncoder();
