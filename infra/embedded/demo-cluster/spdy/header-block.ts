/**
 * Headers of a SPDY stream as names and values, and as the bytes that are compressed (SPDY protocol, draft 3.1,
 * section 2.6.10). Names are lower case; a value may hold several joined by NUL, which nobody here needs apart.
 */
import { SpdyError } from './frames.ts';

/** Names in lower case and their values. */
export type StreamHeaders = ReadonlyMap<string, string>;

/** The bytes of headers before compression. */
export function encodeHeaders(headers: StreamHeaders): Buffer {
  return Buffer.concat([
    word(headers.size),
    ...[...headers].flatMap(([name, value]) => [...prefixed(name), ...prefixed(value)]),
  ]);
}

/**
 * Reads headers after decompression.
 * @throws SpdyError when the block is cut off or too long, or when a name is empty, twice there or not lower case
 */
export function decodeHeaders(block: Buffer): StreamHeaders {
  const headers = new Map<string, string>();
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new SpdyError('a header block that is cut off');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw new SpdyError('a header block that is cut off');
    at += length;
    return block.toString('latin1', at - length, at);
  };
  for (let left = number(); left > 0; left -= 1) {
    const name = text();
    if (name === '' || name !== name.toLowerCase()) throw new SpdyError('a header name that is not lower case');
    if (headers.has(name)) throw new SpdyError('a header name that is there twice');
    headers.set(name, text());
  }
  if (at !== block.length) throw new SpdyError('a header block with more bytes than headers');
  return headers;
}

function prefixed(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text, 'latin1');
  return [word(bytes.length), bytes];
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
