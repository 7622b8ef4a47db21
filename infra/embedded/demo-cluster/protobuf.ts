/**
 * Reads `application/vnd.kubernetes.protobuf` bodies: kubectl sends them for `create namespace`, `create deployment`,
 * `auth can-i`, `auth whoami` and the like. One generic reader works from the table of message types; answers are
 * always JSON, which kubectl accepts everywhere.
 *
 * It refuses a kind or a field it does not know instead of dropping part of what the user meant.
 */
import { isJsonObject, type JsonObject } from './objects.ts';
import { type Field, wireFields } from './schema/message-types.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

/** The content type of these bodies. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');
const maxDepth = 32;

/** A field as it stands on the wire. */
interface WireField {
  number: number;
  /** A varint's value, or the bytes of a length-delimited field. */
  value: bigint | Buffer;
}

/**
 * Decodes a body into the JSON object it stands for, `apiVersion` and `kind` included.
 * @throws ApiError 400 for damaged bytes or an unknown field, 415 for a kind that is not in the table
 */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic)) throw badRequest('the body does not begin as protobuf does');
  const envelope = new Map(readFields(body.subarray(magic.length)).map(({ number, value }) => [number, value]));
  const type = new Map(readFields(bytesOf(envelope.get(1))).map(({ number, value }) => [number, value]));
  const apiVersion = bytesOf(type.get(1)).toString();
  const kind = bytesOf(type.get(2)).toString();
  if (wireFields(kind) === undefined)
    throw unsupportedMediaType(`the stand-in does not read ${kind || 'this kind'} as protobuf; send it as JSON`);
  return { apiVersion, kind, ...decodeMessage(bytesOf(envelope.get(2)), kind, 0) };
}

function decodeMessage(bytes: Buffer, message: string, depth: number): JsonObject {
  if (depth > maxDepth) throw badRequest(`the body nests deeper than ${maxDepth} messages`);
  const fields = wireFields(message) ?? [];
  const object: JsonObject = {};
  for (const { number, value } of readFields(bytes)) {
    const field = fields.find((candidate) => candidate.number === number);
    if (field === undefined) {
      if (isEmpty(value)) continue;
      throw badRequest(`the stand-in does not know field ${number} of ${message}; send the object as JSON`);
    }
    addField(object, field, { value, depth });
  }
  return object;
}

function addField(object: JsonObject, field: Field, { value, depth }: { value: bigint | Buffer; depth: number }): void {
  if (field.shape === 'map') {
    const entry = new Map(readFields(bytesOf(value)).map((part) => [part.number, part.value]));
    const map = isJsonObject(object[field.name]) ? (object[field.name] as JsonObject) : {};
    map[bytesOf(entry.get(1)).toString()] = decodeValue(entry.get(2) ?? Buffer.alloc(0), field.type, depth);
    object[field.name] = map;
    return;
  }
  const decoded = decodeValue(value, field.type, depth);
  if (decoded === undefined) return;
  if (field.inline) Object.assign(object, decoded);
  else if (field.shape === 'list') object[field.name] = [...((object[field.name] as unknown[]) ?? []), decoded];
  // Kubernetes writes every field that is no pointer, set or not; JSON leaves those out.
  else if (field.pointer || !isZero(decoded)) object[field.name] = decoded;
}

function decodeValue(value: bigint | Buffer, type: string, depth: number): unknown {
  switch (type) {
    case 'string':
      return bytesOf(value).toString();
    case 'bytes':
      return bytesOf(value).toString('base64');
    case 'bool':
      return value !== 0n;
    case 'int32':
    case 'int64':
      return Number(BigInt.asIntN(64, varintOf(value)));
    case 'Time':
    case 'MicroTime':
      return decodeTime(bytesOf(value), type);
    case 'Quantity':
      return bytesOf(onlyField(bytesOf(value), 1)).toString();
    case 'IntOrString':
      return decodeIntOrString(bytesOf(value));
    case 'FieldsV1':
      return JSON.parse(bytesOf(onlyField(bytesOf(value), 1)).toString() || '{}') as unknown;
    case 'ExtraValue':
      return readFields(bytesOf(value)).map((item) => bytesOf(item.value).toString());
    default:
      return decodeMessage(bytesOf(value), type, depth + 1);
  }
}

function decodeTime(bytes: Buffer, type: 'Time' | 'MicroTime'): string | undefined {
  const parts = new Map(readFields(bytes).map(({ number, value }) => [number, value]));
  const seconds = Number(BigInt.asIntN(64, varintOf(parts.get(1) ?? 0n)));
  const nanos = Number(varintOf(parts.get(2) ?? 0n));
  if (seconds === 0 && nanos === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw badRequest('the body holds a time out of range');
  const whole = date.toISOString().slice(0, 19);
  return type === 'Time' ? `${whole}Z` : `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function decodeIntOrString(bytes: Buffer): number | string {
  const parts = new Map(readFields(bytes).map(({ number, value }) => [number, value]));
  const isText = varintOf(parts.get(1) ?? 0n) === 1n;
  if (isText) return bytesOf(parts.get(3)).toString();
  return Number(BigInt.asIntN(64, varintOf(parts.get(2) ?? 0n)));
}

function onlyField(bytes: Buffer, number: number): bigint | Buffer | undefined {
  return readFields(bytes).find((field) => field.number === number)?.value;
}

function readFields(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw badRequest('the protobuf body ends early');
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, result);
    }
    throw badRequest('the protobuf body holds a number that does not end');
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw badRequest('the protobuf body ends early');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Number(key >> 3n);
    const wireType = Number(key & 7n);
    if (wireType === 0) fields.push({ number, value: varint() });
    else if (wireType === 2) fields.push({ number, value: take(Number(varint())) });
    else throw badRequest(`the protobuf body holds wire type ${wireType}, which Kubernetes does not use`);
  }
  return fields;
}

function bytesOf(value: bigint | Buffer | undefined): Buffer {
  if (typeof value === 'bigint') throw badRequest('the protobuf body holds a number where bytes belong');
  return value ?? Buffer.alloc(0);
}

function varintOf(value: bigint | Buffer): bigint {
  if (typeof value !== 'bigint') throw badRequest('the protobuf body holds bytes where a number belongs');
  return value;
}

function isEmpty(value: bigint | Buffer): boolean {
  return typeof value === 'bigint' ? value === 0n : value.length === 0;
}

function isZero(decoded: unknown): boolean {
  if (isJsonObject(decoded)) return Object.keys(decoded).length === 0;
  return decoded === '' || decoded === 0 || decoded === false;
}
