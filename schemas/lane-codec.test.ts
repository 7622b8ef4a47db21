import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LaneRequestSchema, LaneResponseSchema } from './gen/clustral/v1/tunnel_pb.ts';
import { LaneEncoder, LaneViolation, type RequestHead } from './lane-codec.ts';
import { readFailure, readReplyHead, readRequestHead } from './lane-heads.ts';
import { LaneReader, mostHeadBytes } from './lane-reader.ts';

const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
const words = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text.isWellFormed());
const headers = fc.array(fc.tuple(latin1, latin1), { maxLength: 8 }).map((pairs) => pairs.flat());
const requestHead: fc.Arbitrary<RequestHead> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'DELETE'),
  target: latin1.map((text) => `/${text}`),
  headers,
  impersonateUser: words,
  impersonateGroups: fc.array(words, { maxLength: 4 }),
  requestId: fc.uuid(),
  headTimeoutMs: fc.nat(),
  lifetimeMs: fc.integer({ min: 0, max: 2 ** 40 }),
  notAfterMs: fc.integer({ min: 1, max: 4_102_444_800_000 }),
  upgrade: fc.boolean(),
});
const bytes = fc.uint8Array({ maxLength: 300 });

const asSchema = (head: RequestHead) => ({
  method: head.method,
  target: Uint8Array.from(head.target, (char) => char.charCodeAt(0)),
  headers: [...head.headers],
  impersonateUser: head.impersonateUser,
  impersonateGroups: [...head.impersonateGroups],
  requestId: head.requestId,
  headTimeoutMs: head.headTimeoutMs,
  lifetimeMs: BigInt(head.lifetimeMs),
  notAfter: { seconds: BigInt(Math.floor(head.notAfterMs / 1000)), nanos: (head.notAfterMs % 1000) * 1_000_000 },
  upgrade: head.upgrade,
});

function envelope(message: Uint8Array, flags = 0): Uint8Array {
  const whole = new Uint8Array(message.length + 5);
  new DataView(whole.buffer).setUint32(1, message.length);
  whole[0] = flags;
  whole.set(message, 5);
  return whole;
}

type Found =
  | { readonly kind: 'head' | 'data' | 'error' | 'trailer'; readonly bytes: number[] }
  | { readonly kind: 'end' };

/** Everything that a reader finds when the bytes come in the given pieces. Neighbouring data is one. */
function read(pieces: Iterable<Uint8Array>): readonly Found[] {
  const found: Found[] = [];
  const note = (kind: 'head' | 'data' | 'error' | 'trailer') => (piece: Uint8Array) => {
    const last = found.at(-1);
    if (kind === 'data' && last?.kind === 'data') last.bytes.push(...piece);
    else found.push({ kind, bytes: [...piece] });
  };
  const reader = new LaneReader({
    head: note('head'),
    data: note('data'),
    error: note('error'),
    trailer: note('trailer'),
    end: () => found.push({ kind: 'end' }),
  });
  for (const piece of pieces) reader.push(piece);
  return found;
}

function* cut(whole: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  let at = 0;
  for (let i = 0; at < whole.length; i += 1) {
    const length = lengths.length === 0 ? whole.length : (lengths[i % lengths.length] ?? 1);
    yield whole.subarray(at, at + length);
    at += length;
  }
}

const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('the lane codec and a stock protobuf peer', () => {
  it('write requests that each other reads', () => {
    fc.assert(
      fc.property(requestHead, bytes, fc.boolean(), (head, data, end) => {
        const mine = new LaneEncoder().request({ head, data, end });
        const theirs = fromBinary(LaneRequestSchema, mine.subarray(5));
        expect(theirs).toEqual(create(LaneRequestSchema, { head: asSchema(head), data, end }));

        const [first] = read([envelope(toBinary(LaneRequestSchema, theirs))]);
        expect(first?.kind === 'head' && readRequestHead(Uint8Array.from(first.bytes))).toEqual(head);
      }),
    );
  });

  it('write replies that each other reads', () => {
    const reply = fc.record({ status: fc.integer({ min: 100, max: 599 }), headers });
    fc.assert(
      fc.property(reply, bytes, words, (head, data, message) => {
        const error = { code: 'AGENT_ERROR', message };
        const mine = new LaneEncoder().reply({ head, data: [data, data], end: true, error });
        const theirs = fromBinary(LaneResponseSchema, mine.subarray(5));
        const same = { head: { ...head, headers: [...head.headers] }, data: join([data, data]), end: true, error };
        expect(theirs).toEqual(create(LaneResponseSchema, same));

        const found = read([envelope(toBinary(LaneResponseSchema, theirs))]);
        const of = (kind: string) => found.find((one) => one.kind === kind) as { bytes: number[] };
        expect(readReplyHead(Uint8Array.from(of('head').bytes))).toEqual(head);
        expect(readFailure(Uint8Array.from(of('error').bytes))).toEqual(error);
      }),
    );
  });

  it('agree on data that is written apart from its prefix', () => {
    const data = new Uint8Array(70_000).fill(7);
    const whole = join([new LaneEncoder().dataPrefix(data.length), data]);
    expect(fromBinary(LaneRequestSchema, whole.subarray(5)).data).toEqual(data);
  });
});

describe('reading a lane', () => {
  it('finds the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(requestHead, bytes), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
        (requests, lengths) => {
          const encoder = new LaneEncoder();
          const parts = requests.flatMap(([head, data]) => [
            Uint8Array.from(encoder.request({ head })),
            Uint8Array.from(encoder.request({ data })),
            Uint8Array.from(encoder.request({ end: true })),
            envelope(new Uint8Array()),
          ]);
          const whole = join([...parts, envelope(Uint8Array.from(Buffer.from('{}')), 2)]);
          const found = read(cut(whole, lengths));
          expect(found).toEqual(read([whole]));
          expect(found.filter(({ kind }) => kind === 'head')).toHaveLength(requests.length);
          expect(found.filter(({ kind }) => kind === 'end')).toHaveLength(requests.length);
          expect(found.at(-1)).toEqual({ kind: 'trailer', bytes: [123, 125] });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('passes over fields that it does not know', () => {
    const unknown = Uint8Array.of(0x28, 5, 0x31, 1, 2, 3, 4, 5, 6, 7, 8, 0x3a, 2, 9, 9, 0x45, 1, 2, 3, 4, 0x18, 1);
    expect(read(cut(envelope(unknown), [1]))).toEqual([{ kind: 'end' }]);
  });

  it('passes data on before the message is whole', () => {
    const message = new LaneEncoder().request({ data: new Uint8Array(1000) });
    expect(read([message.subarray(0, 500)])).toMatchObject([{ kind: 'data' }]);
  });

  it.each([
    ['a compressed message', Uint8Array.of(1, 0, 0, 0, 1)],
    ['a message of a gigabyte', Uint8Array.of(0, 0x40, 0, 0, 0)],
    ['a head without end', Uint8Array.of(0, 0, 0xff, 0xff, 0xff, 0x0a, 0xff, 0xff, 0x3f)],
    ['a field longer than its message', Uint8Array.of(0, 0, 0, 0, 3, 0x12, 9, 1)],
    ['a number without end', Uint8Array.of(0, 0, 0, 0, 20, ...Array<number>(20).fill(0xff))],
    ['a number cut by its message', Uint8Array.of(0, 0, 0, 0, 1, 0xff)],
    ['a group', Uint8Array.of(0, 0, 0, 0, 2, 0x0b, 0)],
    ['bytes after the end of the stream', Uint8Array.of(2, 0, 0, 0, 0, 1)],
  ])('refuses %s', (_, wire) => {
    expect(() => read([wire])).toThrow(LaneViolation);
    expect(() => read(cut(wire, [1]))).toThrow(LaneViolation);
  });

  it('keeps no more than a head may have, however slowly it comes', () => {
    const promised = new Uint8Array(mostHeadBytes + 10).fill(65);
    promised.set([0, 0, 0x02, 0, 5, 0x0a, 0x80, 0x80, 0x08]);
    expect(read(cut(promised.subarray(0, mostHeadBytes), [1000]))).toEqual([]);
  });

  it('survives any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.integer({ min: 1, max: 9 })), (wire, lengths) => {
        try {
          for (const one of read(cut(wire, lengths))) {
            if (one.kind === 'head') readRequestHead(Uint8Array.from(one.bytes));
            if (one.kind === 'error') readFailure(Uint8Array.from(one.bytes));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(LaneViolation);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('hands nothing over once it was stopped', () => {
    const seen: string[] = [];
    const reader: LaneReader = new LaneReader({
      head: () => undefined,
      data: () => (seen.push('data'), reader.stop()),
      end: () => seen.push('end'),
      error: () => undefined,
      trailer: () => undefined,
    });
    reader.push(new LaneEncoder().request({ data: Uint8Array.of(1), end: true }));
    reader.push(new LaneEncoder().request({ end: true }));
    expect(seen).toEqual(['data']);
  });
});
