/**
 * The events of an append as they come in: two messages of the protocol carry them with the same fields. It refuses events
 * without type, content type or id, and counts what they weigh as EventStoreDB does.
 *
 *   ProposedMessage   1 id  2 metadata (map)  3 custom metadata  4 data
 */
import { WireReader } from '../grpc/wire-reader.ts';
import { contentDigest } from '../hash-chain.ts';
import type { ProposedEvent } from '../records.ts';
import { invalidArgument, maximumAppendSizeExceeded, requiredMetadataMissing } from './errors.ts';

const maxTypeLength = 1_024;
const maxEventsPerAppend = 50_000;
const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const empty = Buffer.alloc(0);

/** The events of one append, in order. */
export class ProposedEvents {
  readonly events: ProposedEvent[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `GrpcError`. */
  add(message: Buffer): void {
    const event = readProposed(new WireReader(message));
    this.#bytes += event.data.byteLength + event.metadata.byteLength + 2 * event.type.length;
    if (this.#bytes > this.#maxBytes) throw maximumAppendSizeExceeded(this.#maxBytes);
    if (this.events.length >= maxEventsPerAppend) {
      throw invalidArgument(`an append holds ${maxEventsPerAppend} events at most`);
    }
    this.events.push(event);
  }
}

function readProposed(reader: WireReader): ProposedEvent {
  let id: Buffer | undefined;
  let type: string | undefined;
  let contentType: string | undefined;
  let metadata: Buffer = empty;
  let data: Buffer = empty;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        id = readUuid(reader.message());
        break;
      case 2: {
        const [key, value] = readMapEntry(reader.message());
        if (key === 'type') type = value;
        if (key === 'content-type') contentType = value;
        break;
      }
      case 3:
        metadata = reader.bytes();
        break;
      case 4:
        data = reader.bytes();
        break;
      default:
        reader.skip();
    }
  }
  if (type === undefined) throw requiredMetadataMissing('type');
  if (contentType === undefined) throw requiredMetadataMissing('content-type');
  if (type === '' || type.length > maxTypeLength) {
    throw invalidArgument(`the type of an event has 1 to ${maxTypeLength} characters`);
  }
  if (id === undefined) throw invalidArgument('an event has no id');
  const content = { id, type, json: contentType === 'application/json', data, metadata };
  return { ...content, digest: contentDigest(content) };
}

/** `UUID`: 1 two halves of 64 bits, 2 text. The 16 bytes. */
export function readUuid(reader: WireReader): Buffer {
  let id: Buffer | undefined;
  while (reader.next()) {
    if (reader.field === 1) id = readHalves(reader.message());
    else if (reader.field === 2) {
      const text = reader.text();
      if (!uuid.test(text)) throw invalidArgument('an id is not a UUID');
      id = Buffer.from(text.replaceAll('-', ''), 'hex');
    } else reader.skip();
  }
  if (id === undefined) throw invalidArgument('an id is empty');
  return id;
}

function readHalves(reader: WireReader): Buffer {
  const id = Buffer.alloc(16);
  while (reader.next()) {
    if (reader.field === 1) id.writeBigUInt64BE(reader.uint64(), 0);
    else if (reader.field === 2) id.writeBigUInt64BE(reader.uint64(), 8);
    else reader.skip();
  }
  return id;
}

function readMapEntry(reader: WireReader): readonly [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.text();
    else reader.skip();
  }
  return [key, value];
}
