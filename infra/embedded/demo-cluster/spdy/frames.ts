/**
 * SPDY/3.1 frames (SPDY protocol, draft 3.1, section 2.2 and 2.6) as data and as bytes. Header blocks stay as they
 * are on the wire, compressed: reading them needs the connection's state (header-compression.ts).
 *
 * It refuses control frames over a limit and those whose length cannot be; what it does not know it passes over, as
 * the draft demands.
 */

/** One frame. A data frame may be handed over in pieces as they arrive; `fin` is then on the last. */
export type Frame =
  | { type: 'data'; streamId: number; data: Buffer; fin: boolean }
  | { type: 'syn-stream'; streamId: number; fin: boolean; unidirectional: boolean; headerBlock: Buffer }
  | { type: 'syn-reply'; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: 'rst-stream'; streamId: number; status: number }
  | { type: 'settings'; entries: { id: number; value: number }[] }
  | { type: 'ping'; id: number }
  | { type: 'goaway'; lastStreamId: number; status: number }
  | { type: 'headers'; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: 'window-update'; streamId: number; delta: number };

/** The peer does not speak the protocol; the connection cannot go on. */
export class SpdyError extends Error {}

/** Status codes of RST_STREAM (2.6.3). */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  flowControlError: 7,
  streamAlreadyClosed: 9,
} as const;

/** Status codes of GOAWAY (2.6.6). */
export const goawayStatus = { ok: 0, protocolError: 1 } as const;

/** The setting that says how much may be sent on a stream before a WINDOW_UPDATE (2.6.4). */
export const initialWindowSetting = 7;

const version = 3;
const controlBit = 0x80000000;
const idMask = 0x7fffffff;
const headBytes = 8;
const finFlag = 1;
const unidirectionalFlag = 2;
/** Control frames are small; the largest hold headers. */
const controlBytes = 32 * 1024;

const types = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** A frame's bytes. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case 'data':
      return Buffer.concat([words(frame.streamId, flagged(frame.fin ? finFlag : 0, frame.data.length)), frame.data]);
    case 'syn-stream': {
      const flags = (frame.fin ? finFlag : 0) | (frame.unidirectional ? unidirectionalFlag : 0);
      return control(types.synStream, flags, [words(frame.streamId, 0), Buffer.alloc(2), frame.headerBlock]);
    }
    case 'syn-reply':
      return control(types.synReply, frame.fin ? finFlag : 0, [words(frame.streamId), frame.headerBlock]);
    case 'rst-stream':
      return control(types.rstStream, 0, [words(frame.streamId, frame.status)]);
    case 'settings': {
      const entries = frame.entries.flatMap(({ id, value }) => [id, value]);
      return control(types.settings, 0, [words(frame.entries.length, ...entries)]);
    }
    case 'ping':
      return control(types.ping, 0, [words(frame.id)]);
    case 'goaway':
      return control(types.goaway, 0, [words(frame.lastStreamId, frame.status)]);
    case 'headers':
      return control(types.headers, frame.fin ? finFlag : 0, [words(frame.streamId), frame.headerBlock]);
    case 'window-update':
      return control(types.windowUpdate, 0, [words(frame.streamId, frame.delta)]);
  }
}

function control(type: number, flags: number, body: Buffer[]): Buffer {
  const payload = Buffer.concat(body);
  return Buffer.concat([words(controlBit + version * 0x10000 + type, flagged(flags, payload.length)), payload]);
}

function flagged(flags: number, length: number): number {
  return flags * 0x1000000 + length;
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #kept = Buffer.alloc(0);
  /** What is left of the data frame that is being handed over. */
  #data: { streamId: number; fin: boolean; left: number } | undefined;
  /** What is left of a frame that is passed over. */
  #skip = 0;

  /**
   * The frames, and pieces of data frames, that a chunk completes.
   * @throws SpdyError when the bytes are no SPDY/3.1
   */
  *read(chunk: Buffer): Generator<Frame> {
    let rest = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    while (rest.length > 0) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, rest.length);
        this.#skip -= passed;
        rest = rest.subarray(passed);
      } else if (this.#data !== undefined) {
        const data = rest.subarray(0, this.#data.left);
        rest = rest.subarray(data.length);
        yield this.#piece(this.#data, data);
      } else if (rest.length < headBytes) break;
      else if (rest.readUInt32BE(0) < controlBit) {
        const [flags, length] = [rest.readUInt8(4), rest.readUIntBE(5, 3)];
        const begun = { streamId: rest.readUInt32BE(0), fin: (flags & finFlag) !== 0, left: length };
        rest = rest.subarray(headBytes);
        if (length === 0) yield { type: 'data', streamId: begun.streamId, data: Buffer.alloc(0), fin: begun.fin };
        else this.#data = begun;
      } else {
        const length = this.#controlLength(rest);
        if (rest.length < headBytes + length) break;
        const frame = parseControl(
          rest.readUInt16BE(2),
          rest.readUInt8(4),
          rest.subarray(headBytes, headBytes + length),
        );
        rest = rest.subarray(headBytes + length);
        if (frame !== undefined) yield frame;
      }
    }
    this.#kept = Buffer.from(rest);
  }

  #piece(open: { streamId: number; fin: boolean; left: number }, data: Buffer): Frame {
    open.left -= data.length;
    if (open.left === 0) this.#data = undefined;
    return { type: 'data', streamId: open.streamId, data, fin: open.fin && open.left === 0 };
  }

  /** The length of the control frame at the start; frames of unknown types are skipped, whatever their length. */
  #controlLength(head: Buffer): number {
    const [type, length] = [head.readUInt16BE(2), head.readUIntBE(5, 3)];
    if ((head.readUInt16BE(0) & 0x7fff) !== version) throw new SpdyError('a frame of another version than SPDY/3');
    const known = Object.values(types).some((value) => value === type);
    if (known && length > controlBytes) throw new SpdyError(`a control frame of more than ${controlBytes} bytes`);
    if (known) return length;
    this.#skip = length;
    return 0;
  }
}

function parseControl(type: number, flags: number, body: Buffer): Frame | undefined {
  const fin = (flags & finFlag) !== 0;
  switch (type) {
    case types.synStream:
      needLength(body, 10, body.length);
      return {
        type: 'syn-stream',
        streamId: idAt(body, 0),
        fin,
        unidirectional: (flags & unidirectionalFlag) !== 0,
        headerBlock: body.subarray(10),
      };
    case types.synReply:
      needLength(body, 4, body.length);
      return { type: 'syn-reply', streamId: idAt(body, 0), fin, headerBlock: body.subarray(4) };
    case types.rstStream:
      needLength(body, 8, 8);
      return { type: 'rst-stream', streamId: idAt(body, 0), status: body.readUInt32BE(4) };
    case types.settings:
      return { type: 'settings', entries: settingsOf(body) };
    case types.ping:
      needLength(body, 4, 4);
      return { type: 'ping', id: body.readUInt32BE(0) };
    case types.goaway:
      needLength(body, 8, 8);
      return { type: 'goaway', lastStreamId: idAt(body, 0), status: body.readUInt32BE(4) };
    case types.headers:
      needLength(body, 4, body.length);
      return { type: 'headers', streamId: idAt(body, 0), fin, headerBlock: body.subarray(4) };
    case types.windowUpdate:
      needLength(body, 8, 8);
      return { type: 'window-update', streamId: idAt(body, 0), delta: idAt(body, 4) };
    default:
      return undefined;
  }
}

function settingsOf(body: Buffer): { id: number; value: number }[] {
  needLength(body, 4, body.length);
  const count = body.readUInt32BE(0);
  needLength(body, 4 + 8 * count, 4 + 8 * count);
  // The first byte of an entry holds flags about keeping it, which nothing here does.
  return Array.from({ length: count }, (_, index) => ({
    id: body.readUIntBE(5 + 8 * index, 3),
    value: body.readUInt32BE(8 + 8 * index),
  }));
}

function needLength(body: Buffer, least: number, most: number): void {
  if (body.length < least || body.length > most) throw new SpdyError(`a control frame of ${body.length} bytes`);
}

/** Ids and deltas have 31 bits; the first is reserved and ignored. */
function idAt(body: Buffer, at: number): number {
  return body.readUInt32BE(at) & idMask;
}
