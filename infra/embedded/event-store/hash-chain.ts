/**
 * The chain of hashes over the stored events: `hash = sha256(hash of the row before ‖ row)`. SQLite has no page checksums,
 * so this is what notices a changed byte, a missing row or an edited event. It proves that rows are the ones that were
 * written, not who wrote them: someone who can write the file can compute a new chain.
 *
 * Beside the chain each row carries a sum of its own, which a reader checks without knowing the row before.
 */
import { createHash, hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { EventContent, EventPlace, StoredEvent } from './records.ts';

const hashBytes = 32;
const scratch = Buffer.alloc(64 * 1024);

/** What the first row is chained to. */
export function genesis(storeId: string): Buffer {
  return createHash('sha256').update(storeId).digest();
}

/** The digest of what a client said of an event. Every variable part is preceded by its length. */
export function contentDigest({ id, type, json, data, metadata }: EventContent): Buffer {
  const head = Buffer.allocUnsafe(29);
  id.copy(head, 0);
  head.writeUInt8(json ? 1 : 0, 16);
  const name = Buffer.from(type);
  head.writeUInt32BE(name.byteLength, 17);
  head.writeUInt32BE(metadata.byteLength, 21);
  head.writeUInt32BE(data.byteLength, 25);
  return digestOf([head, name, metadata, data]);
}

/** The hash of one row, given the hash of the row before it. */
export function rowHash(previous: Uint8Array, place: EventPlace, digest: Uint8Array): Buffer {
  const stream = Buffer.from(place.stream);
  const head = Buffer.allocUnsafe(2 * hashBytes + 24);
  head.set(previous, 0);
  head.set(digest, hashBytes);
  writePlace(head, 2 * hashBytes, place);
  return digestOf([head, stream]);
}

/** A sum over one row by itself: it tells every changed bit, and misses one greater change in four thousand millions. */
export function rowSum(event: StoredEvent): number {
  const head = Buffer.allocUnsafe(25);
  writePlace(head, 0, event);
  head.writeUInt8(event.json ? 1 : 0, 24);
  const names = crc32(event.type, crc32(event.stream, crc32(event.id, crc32(head))));
  return crc32(event.data, crc32(event.metadata, names));
}

/** Numbers as doubles, which are exact up to 2^53 and need no big integers. */
function writePlace(target: Buffer, at: number, { position, revision, createdAt }: EventPlace): void {
  target.writeDoubleBE(position, at);
  target.writeDoubleBE(revision, at + 8);
  target.writeDoubleBE(createdAt, at + 16);
}

function digestOf(parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  if (length > scratch.byteLength) return hash('sha256', Buffer.concat(parts), 'buffer');
  let at = 0;
  for (const part of parts) at += part.copy(scratch, at);
  return hash('sha256', scratch.subarray(0, length), 'buffer');
}
