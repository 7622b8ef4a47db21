/**
 * Turns a `ReadReq` of the wire into what is asked, or into the reason why it is refused. Positions and revisions beyond
 * 2^53 mean "beyond the end" here, as everything stored lies below.
 */
import { status } from '@grpc/grpc-js';
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js';

type Options = streamsPb.ReadReq.Options;

const maxPrefixes = 100;
/** The window when a client leaves it to the server, as EventStoreDB has it. */
const defaultWindow = 32;

export type Direction = 'forwards' | 'backwards';

/** A place in a stream or in the log: an exact number, or one of the ends. */
export type Place = number | 'start' | 'end';

export type ReadRequest = { readonly structuredIds: boolean } & (
  | {
      readonly kind: 'stream';
      readonly stream: string;
      readonly from: Place;
      readonly direction: Direction;
      readonly count: number;
    }
  | {
      readonly kind: 'all';
      readonly from: Place;
      readonly direction: Direction;
      readonly count: number;
      readonly prefixes: readonly string[];
    }
  | { readonly kind: 'subscribeToStream'; readonly stream: string; readonly after: Place }
  | {
      readonly kind: 'subscribeToAll';
      readonly after: Place;
      readonly prefixes: readonly string[];
      /** A checkpoint goes out after so many events were looked at; undefined without a filter. */
      readonly checkpointEvery: number | undefined;
    }
);

/** A request that is not served; the message is for the client, the code a gRPC status. */
export class RefusedRequest extends Error {
  readonly code: status;
  constructor(message: string, code: status = status.INVALID_ARGUMENT) {
    super(message);
    this.code = code;
  }
}

/** Throws `RefusedRequest`. */
export function parseReadRequest(request: streamsPb.ReadReq): ReadRequest {
  const options = request.getOptions();
  if (options === undefined) throw new RefusedRequest('a read needs options');
  const structuredIds = options.getUuidOption()?.hasStructured() ?? false;
  const filter = parseFilter(options);
  const stream = options.getStream();
  if (stream !== undefined) {
    if (filter !== undefined) throw new RefusedRequest('a filter is served on $all only');
    const name = streamName(stream.getStreamIdentifier()?.getStreamName_asU8());
    const place = stream.hasRevision() ? whole(stream.getRevision()) : stream.hasEnd() ? 'end' : 'start';
    if (options.hasSubscription()) return { kind: 'subscribeToStream', stream: name, after: place, structuredIds };
    return { kind: 'stream', stream: name, from: place, ...span(options), structuredIds };
  }
  const all = options.getAll();
  if (all === undefined) throw new RefusedRequest('a read names a stream or $all');
  const position = all.getPosition();
  const place = position ? whole(position.getCommitPosition()) : all.hasEnd() ? 'end' : 'start';
  const prefixes = filter?.prefixes ?? [];
  if (options.hasSubscription()) {
    return { kind: 'subscribeToAll', after: place, prefixes, checkpointEvery: filter?.checkpointEvery, structuredIds };
  }
  return { kind: 'all', from: place, prefixes, ...span(options), structuredIds };
}

/** Decodes the name of a stream. Throws `RefusedRequest`. */
export function streamName(bytes: Uint8Array | undefined): string {
  const name = Buffer.from(bytes ?? []).toString();
  if (name === '' || name === '$all') throw new RefusedRequest(`${JSON.stringify(name)} is not the name of a stream`);
  if (name.length > 1_024) throw new RefusedRequest('the name of a stream is longer than 1,024 characters');
  return name;
}

/** Reads a uint64 that arrives as decimal digits. */
export function whole(digits: string): number {
  const value = BigInt(digits);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function span(options: Options): { direction: Direction; count: number } {
  const count = whole(options.getCount());
  if (count < 1) throw new RefusedRequest('a read asks for at least one event');
  return { direction: options.getReadDirection() === 1 ? 'backwards' : 'forwards', count };
}

function parseFilter(options: Options): { prefixes: readonly string[]; checkpointEvery: number } | undefined {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const expression = filter.getStreamIdentifier();
  if (expression === undefined) throw new RefusedRequest('the embedded event store filters by stream name only');
  if (expression.getRegex() !== '') {
    throw new RefusedRequest('the embedded event store filters by prefixes only, not by a regular expression');
  }
  const prefixes = expression.getPrefixList();
  if (prefixes.length === 0 || prefixes.length > maxPrefixes) {
    throw new RefusedRequest(`a filter names between 1 and ${maxPrefixes} prefixes`);
  }
  const window = filter.hasMax() ? filter.getMax() : defaultWindow;
  return { prefixes, checkpointEvery: Math.max(1, window * filter.getCheckpointintervalmultiplier()) };
}
