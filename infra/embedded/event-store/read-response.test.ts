import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeCaughtUp,
  encodeCheckpoint,
  encodeConfirmation,
  encodeEvent,
  encodeFellBehind,
  encodeStreamNotFound,
  formatUuid,
} from './read-response.ts';
import type { StoredEvent } from './records.ts';

const decode = (message: Uint8Array) => streamsPb.ReadResp.deserializeBinary(new Uint8Array(message));
const bytes = (size: { minLength?: number; maxLength: number }) => fc.uint8Array(size);

const storedEvents: fc.Arbitrary<StoredEvent> = fc.record({
  id: bytes({ minLength: 16, maxLength: 16 }),
  type: fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
  json: fc.boolean(),
  data: bytes({ maxLength: 20_000 }),
  metadata: bytes({ maxLength: 300 }),
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  stream: fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
  revision: fc.maxSafeNat(),
  createdAt: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
});

describe('the hand-written encoder of read responses', () => {
  it('writes any event so that the generated decoder reads the same', () => {
    fc.assert(
      fc.property(storedEvents, (event) => {
        const read = decode(encodeEvent(event, false)).getEvent();
        const recorded = read?.getEvent();
        expect(read?.getCommitPosition()).toBe(String(event.position));
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
        expect(Buffer.compare(recorded?.getData_asU8() ?? Buffer.alloc(1), event.data)).toBe(0);
        expect(Buffer.compare(recorded?.getCustomMetadata_asU8() ?? Buffer.alloc(1), event.metadata)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('writes ids as two halves for clients that ask for that', () => {
    fc.assert(
      fc.property(storedEvents, (event) => {
        const id = decode(encodeEvent(event, true)).getEvent()?.getEvent()?.getId()?.getStructured();
        const halves = Buffer.alloc(16);
        halves.writeBigInt64BE(BigInt(id?.getMostSignificantBits() ?? 0), 0);
        halves.writeBigInt64BE(BigInt(id?.getLeastSignificantBits() ?? 0), 8);
        expect(Buffer.compare(halves, event.id)).toBe(0);
      }),
    );
  });

  it('writes the small messages of a subscription', () => {
    expect(decode(encodeConfirmation('one')).getConfirmation()?.getSubscriptionId()).toBe('one');
    expect(decode(encodeCheckpoint(7)).getCheckpoint()?.toObject()).toEqual({
      commitPosition: '7',
      preparePosition: '7',
    });
    expect(decode(encodeCaughtUp()).hasCaughtUp()).toBe(true);
    expect(decode(encodeFellBehind()).hasFellBehind()).toBe(true);
    const name = decode(encodeStreamNotFound('cluster-ü'))
      .getStreamNotFound()
      ?.getStreamIdentifier()
      ?.getStreamName_asU8();
    expect(Buffer.from(name ?? []).toString()).toBe('cluster-ü');
  });
});
