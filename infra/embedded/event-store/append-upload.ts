/**
 * What one `Streams/Append` call sends: options first, then one message per event, within limits that are checked as the
 * messages come. It refuses calls in another order, events without type or id, and more bytes than an append may hold.
 */
import { status } from '@grpc/grpc-js';
import type sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { RefusedRequest, streamName, whole } from './read-request.ts';
import type { Expected, ProposedEvent } from './records.ts';

/** As EventStoreDB has it by default. */
export const maxAppendBytes = 1024 * 1024;
const maxEventsPerAppend = 10_000;
const maxBytesOfAllAppends = 128 * 1024 * 1024;

/** The append is bigger than any may be. */
export class TooLarge extends Error {}

/** What all calls together hold: appends being received or waiting to be written. */
export class UploadBudget {
  #used = 0;

  /** Throws `RefusedRequest` when there is no room. */
  take(bytes: number): void {
    if (this.#used + bytes > maxBytesOfAllAppends) {
      throw new RefusedRequest('the event store has too many appends in hand', status.RESOURCE_EXHAUSTED);
    }
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

/** What one call has sent so far. */
export class Upload {
  readonly events: ProposedEvent[] = [];
  readonly #budget: UploadBudget;
  #bytes = 0;
  #target: { stream: string; expected: Expected } | undefined;

  constructor(budget: UploadBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Gives back what was taken of the budget. Call it once, at the end. */
  release(): void {
    this.#budget.release(this.#bytes);
  }

  take(message: streamsPb.AppendReq): void {
    const options = message.getOptions();
    if (options !== undefined) {
      if (this.#target !== undefined) throw new RefusedRequest('an append has one set of options');
      const stream = streamName(options.getStreamIdentifier()?.getStreamName_asU8());
      this.#target = { stream, expected: parseExpected(options) };
      return;
    }
    const proposed = message.getProposedMessage();
    if (this.#target === undefined || proposed === undefined) {
      throw new RefusedRequest('an append begins with its options and goes on with events');
    }
    const event = parseProposed(proposed);
    const bytes = event.data.byteLength + event.metadata.byteLength + event.type.length;
    this.#budget.take(bytes);
    this.#bytes += bytes;
    this.events.push(event);
    if (this.#bytes > maxAppendBytes || this.events.length > maxEventsPerAppend) {
      throw new TooLarge(`an append may hold ${maxAppendBytes} bytes in ${maxEventsPerAppend} events at most`);
    }
  }

  target(): { stream: string; expected: Expected } {
    if (this.#target === undefined) throw new RefusedRequest('an append begins with its options');
    return this.#target;
  }
}

function parseExpected(options: streamsPb.AppendReq.Options): Expected {
  if (options.hasRevision()) return { kind: 'exactly', revision: whole(options.getRevision()) };
  if (options.hasNoStream()) return { kind: 'exactly', revision: -1 };
  if (options.hasStreamExists()) return { kind: 'exists' };
  if (options.hasAny()) return { kind: 'any' };
  throw new RefusedRequest('an append names the expected revision');
}

function parseProposed(message: streamsPb.AppendReq.ProposedMessage): ProposedEvent {
  const type = message.getMetadataMap().get('type');
  if (type === undefined || type === '' || type.length > 1_024) {
    throw new RefusedRequest('an event has a type of 1 to 1,024 characters');
  }
  return {
    id: parseId(message.getId()),
    type,
    json: message.getMetadataMap().get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

function parseId(id: sharedPb.UUID | undefined): Buffer {
  const structured = id?.getStructured();
  if (structured !== undefined) {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64BE(BigInt(structured.getMostSignificantBits()), 0);
    bytes.writeBigInt64BE(BigInt(structured.getLeastSignificantBits()), 8);
    return bytes;
  }
  const bytes = Buffer.from((id?.getString() ?? '').replaceAll('-', ''), 'hex');
  if (bytes.byteLength !== 16) throw new RefusedRequest('the id of an event is a UUID');
  return bytes;
}
