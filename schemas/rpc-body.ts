/**
 * The body of one unary message of the Connect protocol, for whoever carries calls and has to look into one of them: JSON or binary
 * protobuf, as its content type says.
 */
import { fromBinary, fromJsonString, type DescMessage, type MessageShape } from '@bufbuild/protobuf';

/** Reads it. Throws for a body that is not of this message. */
export function readUnary<Schema extends DescMessage>(
  schema: Schema,
  body: Uint8Array,
  contentType: string,
): MessageShape<Schema> {
  if (contentType.startsWith('application/proto')) return fromBinary(schema, body);
  return fromJsonString(schema, new TextDecoder().decode(body), { ignoreUnknownFields: true });
}
