/**
 * Writes small protobuf messages: every answer but the events of a read, which have an encoder of their own. A message is a
 * list of fields, each made by one of the functions below; nothing is checked against a schema.
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
const varintType = 0;
const lengthType = 2;

/** A message with these fields, in this order. */
export function encode(...fields: readonly Buffer[]): Buffer {
  return fields.length === 1 && fields[0] !== undefined ? fields[0] : Buffer.concat(fields);
}

/** A uint32, uint64, bool or enum. Zero is written too: inside a `oneof` it says which one it is. */
export function numberField(field: number, value: number | bigint): Buffer {
  return Buffer.from([...varint(field * 8 + varintType), ...varint(value)]);
}

/** A string, bytes or the encoding of a message. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from([...varint(field * 8 + lengthType), ...varint(bytes.byteLength)]), bytes]);
}

/** A message inside a message, from its fields. */
export function messageField(field: number, ...fields: readonly Buffer[]): Buffer {
  return bytesField(field, Buffer.concat(fields));
}

function varint(value: number | bigint): number[] {
  const out: number[] = [];
  if (typeof value === 'number') {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
    out.push(rest);
    return out;
  }
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return out;
}
