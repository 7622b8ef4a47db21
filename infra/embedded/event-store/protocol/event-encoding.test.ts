import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framed } from '../grpc/message-splitter.ts';
import { tombstoneRevision, type StoredEvent } from '../records.ts';
import {
  encodeCaughtUp,
  encodeCheckpoint,
  encodeConfirmation,
  encodeEvents,
  encodeFellBehind,
  encodeFirstRevision,
  encodeLastRevision,
  encodeStreamNotFound,
  formatUuid,
  type ShownEvent,
} from './event-encoding.ts';

const decode = (message: Uint8Array) => streamsPb.ReadResp.deserializeBinary(new Uint8Array(message));
/** Takes framed messages apart. */
function* decodeFramed(bytes: Buffer) {
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes.readUInt32BE(at + 1);
    yield decode(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
}
const buffers = (size: { minLength?: number; maxLength: number }) =>
  fc.uint8Array(size).map((bytes) => Buffer.from(bytes));

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 32, max: 126 }), fc.integer({ min: 0, max: 0xd7_ff })), {
    minLength: 1,
    maxLength: 60,
  })
  .map((points) => String.fromCodePoint(...points));

const storedEvents: fc.Arbitrary<StoredEvent> = fc.record({
  id: buffers({ minLength: 16, maxLength: 16 }),
  type: anyText,
  json: fc.boolean(),
  data: buffers({ maxLength: 20_000 }),
  metadata: buffers({ maxLength: 300 }),
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  stream: anyText,
  revision: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 }),
  createdAt: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
});

function expectSame(recorded: streamsPb.ReadResp.ReadEvent.RecordedEvent | undefined, event: StoredEvent): void {
  expect(recorded?.getId()?.getString()).toBe(formatUuid(event.id));
  expect(Buffer.from(recorded?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).toBe(event.stream);
  expect(recorded?.getStreamRevision()).toBe(String(event.revision));
  expect([recorded?.getCommitPosition(), recorded?.getPreparePosition()]).toEqual(
    Array.from({ length: 2 }, () => String(event.position)),
  );
  expect(new Map(recorded?.getMetadataMap().entries() as Iterable<[string, string]>)).toEqual(
    new Map([
      ['type', event.type],
      ['created', `${event.createdAt}0000`],
      ['content-type', event.json ? 'application/json' : 'application/octet-stream'],
    ]),
  );
  expect(event.data.equals(recorded?.getData_asU8() ?? Buffer.alloc(1))).toBe(true);
  expect(event.metadata.equals(recorded?.getCustomMetadata_asU8() ?? Buffer.alloc(1))).toBe(true);
}

describe('the hand-written encoder of read responses', () => {
  it('writes any events, with links and without, so that the generated decoder reads the same', () => {
    const shown: fc.Arbitrary<ShownEvent> = fc.oneof(
      fc.record({ event: storedEvents }),
      fc.record({ event: fc.option(storedEvents, { nil: undefined }), link: storedEvents }),
    );
    fc.assert(
      fc.property(fc.array(shown, { minLength: 1, maxLength: 4 }), (events) => {
        const read = [...decodeFramed(encodeEvents(events, false))].map((response) => response.getEvent());
        expect(read).toHaveLength(events.length);
        for (const [index, { event, link }] of events.entries()) {
          const one = read[index];
          if (event !== undefined) expectSame(one?.getEvent(), event);
          if (link !== undefined) expectSame(one?.getLink(), link);
          expect([one?.hasEvent(), one?.hasLink()]).toEqual([event !== undefined, link !== undefined]);
          expect(one?.getCommitPosition()).toBe(String((link ?? event)?.position));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('writes ids as two halves for clients that ask for that', () => {
    fc.assert(
      fc.property(storedEvents, (event) => {
        const [read] = decodeFramed(encodeEvents([{ event }], true));
        const id = read?.getEvent()?.getEvent()?.getId()?.getStructured();
        const halves = Buffer.alloc(16);
        halves.writeBigInt64BE(BigInt.asIntN(64, BigInt(id?.getMostSignificantBits() ?? 0)), 0);
        halves.writeBigInt64BE(BigInt.asIntN(64, BigInt(id?.getLeastSignificantBits() ?? 0)), 8);
        expect(halves.equals(event.id)).toBe(true);
      }),
    );
  });

  it('shows a tombstone at the greatest revision of the protocol', () => {
    const [event] = fc.sample(storedEvents, 1);
    const [read] = decodeFramed(
      encodeEvents([{ event: { ...(event as StoredEvent), revision: tombstoneRevision } }], false),
    );
    expect(read?.getEvent()?.getEvent()?.getStreamRevision()).toBe('9223372036854775807');
  });

  it('writes the small messages of a read', () => {
    expect(decode(encodeConfirmation('one')).getConfirmation()?.getSubscriptionId()).toBe('one');
    expect(decode(encodeCheckpoint(7)).getCheckpoint()?.toObject()).toEqual({
      commitPosition: '7',
      preparePosition: '7',
    });
    expect(decode(encodeCaughtUp()).hasCaughtUp()).toBe(true);
    expect(decode(encodeFellBehind()).hasFellBehind()).toBe(true);
    expect(decode(encodeFirstRevision(5)).getFirstStreamPosition()).toBe('5');
    expect(decode(encodeLastRevision(2 ** 40)).getLastStreamPosition()).toBe(String(2 ** 40));
    const name = decode(encodeStreamNotFound('cluster-ü'))
      .getStreamNotFound()
      ?.getStreamIdentifier()
      ?.getStreamName_asU8();
    expect(Buffer.from(name ?? []).toString()).toBe('cluster-ü');
  });

  it('frames a message with its length', () => {
    expect(framed(Buffer.from('abc'))).toEqual(Buffer.from([0, 0, 0, 0, 3, 97, 98, 99]));
  });
});
