import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackwardsWriter } from './backwards-writer.ts';
import { Budget } from './budget.ts';
import { framed, MessageSplitter } from './message-splitter.ts';
import { endingHeaders, GrpcError, status } from './status.ts';
import { WireReader } from './wire-reader.ts';
import { bytesField, encode, messageField, numberField } from './wire-writer.ts';

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

const anyText = fc
  .array(fc.integer({ min: 0, max: 0x10_ff_ff }), { maxLength: 12 })
  .map((points) => String.fromCodePoint(...points));

describe('reading protobuf', () => {
  it('finds what the writer wrote, forwards and backwards, whatever it is', () => {
    const fields = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.oneof(uint64, fc.maxSafeNat(), bytes)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fields, (wanted) => {
        const forwards = encode(
          ...wanted.map(([field, value]) =>
            typeof value === 'object' ? bytesField(field, value) : numberField(field, value),
          ),
          Buffer.alloc(0),
        );
        const writer = new BackwardsWriter(forwards.byteLength + 10);
        for (const [field, value] of wanted.toReversed()) {
          if (typeof value === 'object') writer.bytes(field, value);
          else writer.number(field, value);
        }
        expect(writer.written.equals(forwards)).toBe(true);
        const reader = new WireReader(forwards);
        for (const [field, value] of wanted) {
          expect([reader.next(), reader.field]).toEqual([true, field]);
          if (typeof value === 'object') expect(reader.bytes().equals(value)).toBe(true);
          else if (typeof value === 'bigint') expect(reader.uint64()).toBe(value);
          else expect(reader.number()).toBe(value);
        }
        expect(reader.next()).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('reads what the generated encoder writes, and skips what it does not know', () => {
    const id = new sharedPb.UUID();
    id.setString('an id');
    const proposed = new streamsPb.AppendReq.ProposedMessage();
    proposed.setId(id);
    proposed.setData(Buffer.from('data'));
    const message = new WireReader(Buffer.from(proposed.serializeBinary()));
    const seen: [number, string][] = [];
    while (message.next())
      seen.push([message.field, message.field === 4 ? message.text() : (message.skip(), 'skipped')]);
    expect(seen).toEqual([
      [1, 'skipped'],
      [4, 'data'],
    ]);
  });

  it('takes numbers above 2^53 as that when only their size matters', () => {
    const reader = new WireReader(numberField(1, 2n ** 64n - 1n));
    reader.next();
    expect(reader.number()).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ['a length beyond the end', [0x0a, 5, 1]],
    ['a length that is no number', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['field 0', [0x00, 1]],
    ['a wire type of old', [0x0b]],
    ['a key that breaks off', [0x80]],
    ['eight bytes that break off', [0x09, 1, 2]],
  ])('refuses %s', (_, message) => {
    const reader = new WireReader(Buffer.from(message));
    expect(() => {
      while (reader.next()) reader.skip();
    }).toThrow('malformed message');
  });

  it('refuses a field of another type than the one wanted', () => {
    const text = new WireReader(bytesField(1, 'text'));
    text.next();
    expect(() => text.number()).toThrow('field 1 has wire type 2, not 0');
  });

  it('reads or refuses any bytes, and never reads beyond them', () => {
    fc.assert(
      fc.property(bytes, (noise) => {
        const reader = new WireReader(noise);
        try {
          while (reader.next()) reader.skip();
        } catch (error) {
          expect((error as Error).name).toBe('MalformedMessage');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('nests messages', () => {
    const outer = new WireReader(messageField(1, messageField(2, numberField(3, 7))));
    outer.next();
    const inner = outer.message();
    inner.next();
    const innermost = inner.message();
    innermost.next();
    expect([inner.field, innermost.field, innermost.number()]).toEqual([2, 3, 7]);
  });
});

describe('splitting what arrives into messages', () => {
  it('gives the same messages however the network has cut them, and gives back all that it held', () => {
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (messages, cuts) => {
          const budget = new Budget(100_000);
          const splitter = new MessageSplitter(1_000, budget);
          const all = Buffer.concat(messages.map(framed));
          const found: Buffer[] = [];
          for (let at = 0, cut = 0; at < all.byteLength; cut += 1) {
            const size = cuts[cut % cuts.length] ?? 1;
            found.push(...splitter.take(all.subarray(at, at + size)));
            at += size;
          }
          expect(found.map(String)).toEqual(messages.map(String));
          expect([splitter.unfinished, budget.used]).toEqual([false, 0]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('refuses a long message as soon as its head is there', () => {
    const splitter = new MessageSplitter(1_000, new Budget(100_000));
    expect(() => [...splitter.take(Buffer.from([0, 0, 0, 4, 0]))]).toThrow(
      'a message of 1024 bytes is longer than 1000',
    );
  });

  it('refuses compressed messages', () => {
    const splitter = new MessageSplitter(1_000, new Budget(100_000));
    expect(() => [...splitter.take(Buffer.from([1, 0, 0, 0, 0]))]).toThrow('compressed messages are not served');
  });

  it('holds no more of unfinished messages than there is room for, and gives back what it held', () => {
    const budget = new Budget(100);
    const [one, other] = [new MessageSplitter(1_000, budget), new MessageSplitter(1_000, budget)];
    const part = Buffer.concat([Buffer.from([0, 0, 0, 0, 200]), Buffer.alloc(55)]);
    expect([...one.take(part)]).toEqual([]);
    expect(() => [...other.take(part)]).toThrow('too much in hand');
    one.drop();
    other.drop();
    expect(budget.used).toBe(0);
  });
});

describe('the end of a call', () => {
  it('is made of printable ASCII, whatever is said', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const headers = endingHeaders(status.unknown, text, { 'stream-name': text });
        expect(Object.values(headers).join('')).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(headers['grpc-message'] ?? '')).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it('leaves alone what is printable already', () => {
    expect(endingHeaders(status.notFound, 'no 100% stream', { 'stream-name': 'a@b%20' })).toEqual({
      'grpc-status': '5',
      'grpc-message': 'no 100%25 stream',
      'stream-name': 'a@b%20',
    });
  });

  it('is an error with a code for whoever refuses', () => {
    expect(new GrpcError(status.aborted, 'no')).toMatchObject({ code: 10, message: 'no', trailers: {} });
  });
});
