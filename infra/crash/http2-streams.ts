/**
 * Takes an HTTP/2 connection (RFC 9113) apart as far as needed to tell which request bytes and which answer belong together:
 * frames with type and stream, nothing of headers. It is fed with the bytes as they were moved, however they were cut.
 */

type Frame = { readonly type: number; readonly stream: number; readonly payload: Buffer };

const dataFrame = 0;

const headBytes = 9;
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

class FrameReader {
  #left = Buffer.alloc(0);

  /** The frames that are whole with these bytes. A client's preface is passed over. */
  take(bytes: Buffer): readonly Frame[] {
    this.#left = Buffer.concat([this.#left, bytes]);
    if (this.#left.subarray(0, preface.length).equals(preface)) this.#left = this.#left.subarray(preface.length);
    const frames: Frame[] = [];
    while (this.#left.length >= headBytes) {
      const end = headBytes + this.#left.readUIntBE(0, 3);
      if (this.#left.length < end) break;
      frames.push({
        type: this.#left.readUInt8(3),
        stream: this.#left.readUInt32BE(5) & 0x7fffffff,
        payload: this.#left.subarray(headBytes, end),
      });
      this.#left = this.#left.subarray(end);
    }
    return frames;
  }
}

/** The answers to requests on one connection that hold one of the marks. */
export class MarkedAnswers {
  readonly #searched: readonly string[];
  readonly #incoming = new FrameReader();
  readonly #outgoing = new FrameReader();
  readonly #requests = new Map<number, Buffer>();
  readonly #marks = new Map<number, string>();

  constructor(marks: readonly string[]) {
    this.#searched = marks;
  }

  /** Bytes from the client. */
  received(bytes: Buffer): void {
    for (const { type, stream, payload } of this.#incoming.take(bytes)) {
      if (type !== dataFrame) continue;
      const request = Buffer.concat([this.#requests.get(stream) ?? Buffer.alloc(0), payload]);
      this.#requests.set(stream, request);
      const mark = this.#searched.find((one) => request.includes(one));
      if (mark !== undefined) this.#marks.set(stream, mark);
    }
  }

  /** Bytes to the client: the marks of the requests for which they bring data of an answer. */
  answered(bytes: Buffer): readonly string[] {
    return this.#outgoing
      .take(bytes)
      .filter(({ type }) => type === dataFrame)
      .flatMap(({ stream }) => this.#marks.get(stream) ?? []);
  }
}
