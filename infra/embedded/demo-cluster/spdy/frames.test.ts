import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, type Frame, FrameReader, SpdyError } from './frames.ts';

const id = fc.integer({ min: 1, max: 0x7fffffff });
const word = fc.integer({ min: 0, max: 0xffffffff });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const headers = { streamId: id, fin: fc.boolean(), headerBlock: bytes };
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('data' as const), streamId: id, data: bytes, fin: fc.boolean() }),
  fc.record({ type: fc.constant('syn-stream' as const), ...headers, unidirectional: fc.boolean() }),
  fc.record({ type: fc.constant('syn-reply' as const), ...headers }),
  fc.record({ type: fc.constant('headers' as const), ...headers }),
  fc.record({ type: fc.constant('rst-stream' as const), streamId: id, status: word }),
  fc.record({
    type: fc.constant('settings' as const),
    entries: fc.array(fc.record({ id: fc.integer({ min: 0, max: 0xffffff }), value: word }), { maxLength: 5 }),
  }),
  fc.record({ type: fc.constant('ping' as const), id: word }),
  fc.record({ type: fc.constant('goaway' as const), lastStreamId: id, status: word }),
  fc.record({ type: fc.constant('window-update' as const), streamId: id, delta: id }),
);

/** Pieces of one data frame put together again. */
function joined(frames: readonly Frame[]): Frame[] {
  const whole: Frame[] = [];
  for (const next of frames) {
    const last = whole.at(-1);
    const goesOn = last?.type === 'data' && next.type === 'data' && next.streamId === last.streamId && !last.fin;
    if (goesOn) whole[whole.length - 1] = { ...next, data: Buffer.concat([last.data, next.data]) };
    else whole.push(next);
  }
  return whole;
}

function readAll(...chunks: Buffer[]): Frame[] {
  const reader = new FrameReader();
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
}

describe('SPDY frames', () => {
  it('are read as they were written, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
        const wire = Buffer.concat(frames.map(encodeFrame));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, wire.length]) {
          chunks.push(wire.subarray(at, at + cut));
          at += cut;
        }
        expect(joined(readAll(...chunks))).toEqual(joined(frames));
      }),
    );
  });

  it('never take bytes that are none for more than a broken connection', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          readAll(Buffer.from(noise));
        } catch (error) {
          expect(error).toBeInstanceOf(SpdyError);
        }
      }),
    );
  });

  it('have the bytes of the draft', () => {
    const ping = encodeFrame({ type: 'ping', id: 1 });
    expect(ping.toString('hex')).toBe('800300060000000400000001');
    const data = encodeFrame({ type: 'data', streamId: 3, data: Buffer.from('hi'), fin: true });
    expect(data.toString('hex')).toBe('0000000301000002' + '6869');
    const credit = encodeFrame({ type: 'window-update', streamId: 5, delta: 9 });
    expect(credit.toString('hex')).toBe('8003000900000008' + '00000005' + '00000009');
  });

  it('hand over a large data frame piece by piece', () => {
    const data = Buffer.alloc(1_000_000, 'x');
    const wire = encodeFrame({ type: 'data', streamId: 1, data, fin: true });
    const pieces = readAll(wire.subarray(0, 500_000), wire.subarray(500_000));
    expect(pieces.map((piece) => piece.type === 'data' && piece.fin)).toEqual([false, true]);
  });

  it('of an unknown type are passed over', () => {
    const unknown = Buffer.from('800300630000000548656c6c6f', 'hex');
    const ping = encodeFrame({ type: 'ping', id: 7 });
    expect(readAll(unknown.subarray(0, 9), unknown.subarray(9), ping)).toEqual([{ type: 'ping', id: 7 }]);
  });

  it.each([
    ['another version', '800200060000000400000001'],
    ['a control frame over the limit', '80030001000fffff'],
    ['a ping with a wrong length', '80030006000000050000000100'],
    ['settings that count more than they hold', '800300040000000c0000000200000007000000ff'],
    ['a stream without its fields', '800300010000000400000001'],
  ])('refuse %s', (_, hex) => {
    expect(() => readAll(Buffer.from(hex, 'hex'))).toThrow(SpdyError);
  });
});
