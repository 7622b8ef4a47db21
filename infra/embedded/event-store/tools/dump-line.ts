/**
 * One event as a line of JSON, and back: what `dump` writes and `load` reads. Data and metadata are written as JSON where that
 * gives back the same bytes, and as base64 where it does not, so a log that went through a dump is the same byte for byte.
 */
import { z } from 'zod';
import { tombstoneRevision, type StoredEvent } from '../records.ts';
import { formatUuid } from '../protocol/event-encoding.ts';

/** What a line says of an event, beside where it lay and when it was written. */
export type DumpedEvent = Pick<StoredEvent, 'stream' | 'revision' | 'id' | 'type' | 'json' | 'data' | 'metadata'>;

const whole = z.number().int().min(0);
const shape = z.strictObject({
  position: whole,
  stream: z.string().min(1),
  revision: z.union([whole, z.literal('tombstone')]),
  id: z.uuid(),
  type: z.string().min(1),
  json: z.boolean(),
  created: z.string(),
  data: z.unknown().optional(),
  dataBase64: z.base64().optional(),
  metadata: z.unknown().optional(),
  metadataBase64: z.base64().optional(),
});

export function toLine(event: StoredEvent): string {
  const { position, stream, revision, id, type, json, createdAt, data, metadata } = event;
  return JSON.stringify({
    position,
    stream,
    revision: revision === tombstoneRevision ? 'tombstone' : revision,
    id: formatUuid(id),
    type,
    json,
    created: new Date(createdAt).toISOString(),
    ...payload('data', data),
    ...payload('metadata', metadata),
  });
}

/** Throws an `Error` that names the number of the line and what is wrong with it. */
export function fromLine(line: string, number: number): DumpedEvent {
  const parsed = shape.safeParse(jsonOf(line));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`Line ${number} is no event: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`);
  }
  const { stream, revision, id, type, json } = parsed.data;
  return {
    stream,
    revision: revision === 'tombstone' ? tombstoneRevision : revision,
    id: Buffer.from(id.replaceAll('-', ''), 'hex'),
    type,
    json,
    data: bytesOf(parsed.data.data, parsed.data.dataBase64),
    metadata: bytesOf(parsed.data.metadata, parsed.data.metadataBase64),
  };
}

function payload(name: 'data' | 'metadata', bytes: Buffer): Record<string, unknown> {
  if (bytes.byteLength === 0) return {};
  const text = bytes.toString();
  const value = jsonOf(text);
  const isSame = value !== undefined && JSON.stringify(value) === text && Buffer.from(text).equals(bytes);
  return isSame ? { [name]: value } : { [`${name}Base64`]: bytes.toString('base64') };
}

function bytesOf(value: unknown, base64: string | undefined): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
}

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
