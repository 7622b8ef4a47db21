/**
 * Encodes what `Streams/Read` answers. Events have an encoder of their own, which writes a whole page, framed, into one buffer
 * of the right size: the generated one makes half a dozen objects and turns numbers into text and back for each event, which
 * was half of what a read cost. A test decodes the result with the client's generated decoder for any event.
 *
 *   ReadResp        1 event  2 confirmation  3 checkpoint  4 stream not found  5 first and 6 last revision  8 caught up  9 fell behind
 *   ReadEvent       1 event  2 link  3 commit position
 *   RecordedEvent   1 id  2 stream  3 revision  4 prepare and 5 commit position  6 metadata (map)  7 custom metadata  8 data
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { BackwardsWriter } from '../grpc/backwards-writer.ts';
import { bytesField, messageField, numberField } from '../grpc/wire-writer.ts';
import { tombstoneRevision, type StoredEvent } from '../records.ts';

const greatestRevision = 2n ** 63n - 1n;

/** An event as it is shown: where `link` is set, it is what was stored, and `event` what it points to, if that is there. */
export type ShownEvent = { readonly event: StoredEvent | undefined; readonly link?: StoredEvent };

/** `ReadResp.event` for each, framed. Ids go out as text, or as two 64-bit halves for clients that ask for that. */
export function encodeEvents(shown: readonly ShownEvent[], structuredIds: boolean): Buffer {
  const most = shown.reduce((sum, { event, link }) => sum + mostBytes(event) + mostBytes(link), 0);
  const writer = new BackwardsWriter(most);
  for (let index = shown.length - 1; index >= 0; index -= 1) {
    const { event, link } = shown[index] as ShownEvent;
    const frame = writer.mark;
    writer.number(3, (link ?? event)?.position ?? 0);
    if (link !== undefined) writeRecorded(writer, link, { field: 2, structuredIds });
    if (event !== undefined) writeRecorded(writer, event, { field: 1, structuredIds });
    writer.message(1, frame);
    writer.frame(frame);
  }
  return writer.written;
}

/** `ReadResp.confirmation`, the first message of a subscription. */
export function encodeConfirmation(subscriptionId: string): Buffer {
  return messageField(2, bytesField(1, subscriptionId));
}

/** `ReadResp.checkpoint`: everything up to this position was looked at. */
export function encodeCheckpoint(position: number): Buffer {
  return messageField(3, numberField(1, position), numberField(2, position));
}

/** `ReadResp.stream_not_found`. */
export function encodeStreamNotFound(stream: string): Buffer {
  return messageField(4, messageField(1, bytesField(3, stream)));
}

/** `ReadResp.first_stream_position`: the stream begins here, which is not where the read began. */
export function encodeFirstRevision(revision: number): Buffer {
  return numberField(5, revision);
}

/** `ReadResp.last_stream_position`. */
export function encodeLastRevision(revision: number): Buffer {
  return numberField(6, revision);
}

/** `ReadResp.caught_up`: from here on events arrive as they are committed. */
export function encodeCaughtUp(): Buffer {
  return messageField(8);
}

/** `ReadResp.fell_behind`: the subscription reads from the disk again. */
export function encodeFellBehind(): Buffer {
  return messageField(9);
}

/** 16 bytes as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export function formatUuid(id: Buffer): string {
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** An upper bound: three bytes per UTF-16 unit of the names, and all that is not named here. */
function mostBytes(event: StoredEvent | undefined): number {
  if (event === undefined) return 0;
  return event.data.byteLength + event.metadata.byteLength + 3 * (event.stream.length + event.type.length) + 256;
}

function writeRecorded(
  writer: BackwardsWriter,
  event: StoredEvent,
  { field, structuredIds }: { field: number; structuredIds: boolean },
): void {
  const end = writer.mark;
  if (event.data.byteLength > 0) writer.bytes(8, event.data);
  if (event.metadata.byteLength > 0) writer.bytes(7, event.metadata);
  writeMapEntry(writer, 'content-type', event.json ? 'application/json' : 'application/octet-stream');
  // Units of 100 ns, as digits: they do not fit into a number.
  writeMapEntry(writer, 'created', `${event.createdAt}0000`);
  writeMapEntry(writer, 'type', event.type);
  writer.number(5, event.position);
  writer.number(4, event.position);
  writer.number(3, event.revision === tombstoneRevision ? greatestRevision : event.revision);
  const stream = writer.mark;
  writer.text(3, event.stream);
  writer.message(2, stream);
  writeId(writer, event.id, structuredIds);
  writer.message(field, end);
}

function writeMapEntry(writer: BackwardsWriter, key: string, value: string): void {
  const end = writer.mark;
  writer.text(2, value);
  writer.text(1, key);
  writer.message(6, end);
}

function writeId(writer: BackwardsWriter, id: Buffer, structured: boolean): void {
  const end = writer.mark;
  if (structured) {
    writer.number(2, id.readBigUInt64BE(8));
    writer.number(1, id.readBigUInt64BE(0));
    writer.message(1, end);
  } else {
    writer.text(2, formatUuid(id));
  }
  writer.message(1, end);
}
