/**
 * Encodes what `Streams/Read` answers, by hand: the generated encoder makes half a dozen objects and turns numbers into
 * text and back for each event, which is half of what a read costs. A test decodes the result with the generated decoder
 * for any event.
 *
 * Field numbers: event_store.client.streams.ReadResp and shared.proto of the protocol. Wire format:
 * https://protobuf.dev/programming-guides/encoding/
 */
import type { StoredEvent } from './records.ts';

const lengthDelimited = 2;
const empty = Buffer.alloc(0);

/** `ReadResp.event`. Ids go out as text, or as two 64-bit halves for clients that ask for that. */
export function encodeEvent(event: StoredEvent, structuredIds: boolean): Buffer {
  const recorded = [
    ...message(1, structuredIds ? structuredId(event.id) : bytes(2, Buffer.from(formatUuid(event.id)))),
    ...message(2, bytes(3, Buffer.from(event.stream))),
    varint(3, event.revision),
    varint(4, event.position),
    varint(5, event.position),
    ...mapEntry('type', event.type),
    // Units of 100 ns, as digits: they do not fit into a number.
    ...mapEntry('created', `${event.createdAt}0000`),
    ...mapEntry('content-type', event.json ? 'application/json' : 'application/octet-stream'),
    ...bytes(7, event.metadata),
    ...bytes(8, event.data),
  ];
  return join(message(1, [...message(1, recorded), varint(3, event.position)]));
}

/** `ReadResp.confirmation`, the first message of a subscription. */
export function encodeConfirmation(subscriptionId: string): Buffer {
  return join(message(2, bytes(1, Buffer.from(subscriptionId))));
}

/** `ReadResp.checkpoint`: everything up to this position was looked at. */
export function encodeCheckpoint(position: number): Buffer {
  return join(message(3, [varint(1, position), varint(2, position)]));
}

/** `ReadResp.stream_not_found`. */
export function encodeStreamNotFound(stream: string): Buffer {
  return join(message(4, message(1, bytes(3, Buffer.from(stream)))));
}

/** `ReadResp.caught_up`: from here on events arrive as they are committed. */
export function encodeCaughtUp(): Buffer {
  return join(message(8, []));
}

/** `ReadResp.fell_behind`: the subscription reads from the disk again. */
export function encodeFellBehind(): Buffer {
  return join(message(9, []));
}

/** 16 bytes as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export function formatUuid(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function structuredId(id: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(id.buffer, id.byteOffset, 16);
  return message(1, [varint(1, view.getBigUint64(0)), varint(2, view.getBigUint64(8))]);
}

function mapEntry(key: string, value: string): readonly Uint8Array[] {
  return message(6, [...bytes(1, Buffer.from(key)), ...bytes(2, Buffer.from(value))]);
}

function message(field: number, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  return [tag(field, lengthDelimited, length), ...parts];
}

function bytes(field: number, value: Uint8Array): readonly Uint8Array[] {
  return value.byteLength === 0 ? [] : [tag(field, lengthDelimited, value.byteLength), value];
}

function varint(field: number, value: number | bigint): Uint8Array {
  // Zero is the default and is left out, as every encoder does.
  return value === 0 || value === 0n ? empty : tag(field, 0, value);
}

/** A field's key followed by one varint: its length or its value. */
function tag(field: number, wireType: number, value: number | bigint): Uint8Array {
  const out = [(field << 3) | wireType];
  let rest = value;
  if (typeof rest === 'number') {
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  } else {
    for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

function join(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}
