/**
 * What a change expects of its stream, as four requests of the protocol say it with the same fields: 2 an exact revision,
 * 3 no stream, 4 any, 5 stream exists. And the name of the stream, which all of them carry in field 1.
 */
import type { GrpcError } from '../grpc/status.ts';
import type { WireReader } from '../grpc/wire-reader.ts';
import type { Expected } from '../records.ts';
import { accessDenied, invalidArgument } from './errors.ts';

const maxNameLength = 1_024;

/** What was expected, and the number that was sent for an exact one, which may be greater than any revision. */
export type Expectation = { readonly expected: Expected; readonly sent: bigint };

/** EventStoreDB's numbers for what is no revision; clients find them in trailers. */
const noStreamNumber = -1n;
const anyNumber = -2n;
const existsNumber = -4n;

/** Reads one of the fields 2 to 5; undefined for any other, which is then still to be taken. */
export function readExpectation(reader: WireReader): Expectation | undefined {
  switch (reader.field) {
    case 2: {
      const sent = reader.uint64();
      const revision = sent > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(sent);
      return { expected: { kind: 'exactly', revision }, sent };
    }
    case 3:
      reader.skip();
      return { expected: { kind: 'exactly', revision: -1 }, sent: noStreamNumber };
    case 4:
      reader.skip();
      return { expected: { kind: 'any' }, sent: anyNumber };
    case 5:
      reader.skip();
      return { expected: { kind: 'exists' }, sent: existsNumber };
    default:
      return undefined;
  }
}

/** `StreamIdentifier`: bytes in field 3. */
export function readStreamIdentifier(reader: WireReader): string {
  let name = '';
  while (reader.next()) {
    if (reader.field === 3) name = reader.text();
    else reader.skip();
  }
  return name;
}

/** Throws unless there may be a stream of this name. */
export function checkName(name: string): string {
  if (name === '' || name === '$$') throw invalidArgument(`'${name}' is not the name of a stream`);
  if (name.length > maxNameLength) {
    throw invalidArgument(`the name of a stream is longer than ${maxNameLength} characters`);
  }
  return name;
}

/** Throws unless somebody may write to this stream: `$all` is none, and metadata has no metadata. */
export function checkWritable(name: string): GrpcError | undefined {
  checkName(name);
  return name === '$all' || name.startsWith('$$$$') ? accessDenied() : undefined;
}
