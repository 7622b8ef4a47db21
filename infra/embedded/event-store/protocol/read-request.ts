/**
 * Turns a `ReadReq` of the wire into what is asked, or into the reason why it is refused. Positions and revisions beyond
 * 2^53 mean "beyond the end" here, as everything stored lies below.
 *
 *   Options   1 stream (1 name, 2 revision, 3 start, 4 end)   2 $all (1 position, 2 start, 3 end)   3 direction
 *             4 resolve links   5 count   6 subscription   7 filter   8 no filter   9 uuid form   10 control (1 compatibility)
 *   Filter    1 stream name   2 event type (both: 1 regex, 2 prefixes)   3 window   4 window left to us   5 multiplier
 */
import { WireReader } from '../grpc/wire-reader.ts';
import { patternFilter, prefixFilter, type EventFilter } from '../filters/event-filter.ts';
import { RefusedPattern } from '../filters/pattern-parser.ts';
import { invalidArgument } from './errors.ts';
import { checkName, readStreamIdentifier } from './expectation.ts';

const maxPrefixes = 100;
const maxPrefixLength = 1_024;
/** The window when a client leaves it to the server, as EventStoreDB has it. */
const defaultWindow = 32;

export type Direction = 'forwards' | 'backwards';

/** A place in a stream or in the log: an exact number, or one of the ends. */
export type Place = number | 'start' | 'end';

/** How events are to be shown. */
export type Form = {
  readonly structuredIds: boolean;
  readonly resolveLinks: boolean;
  /** The client wants to know where a stream begins and ends. */
  readonly wantsStreamEnds: boolean;
};

export type ReadRequest = Form &
  (
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
        readonly filter: EventFilter | undefined;
      }
    | { readonly kind: 'subscribeToStream'; readonly stream: string; readonly after: Place }
    | {
        readonly kind: 'subscribeToAll';
        readonly after: Place;
        readonly filter: EventFilter | undefined;
        /** A checkpoint goes out after so many events were looked at; undefined without a filter. */
        readonly checkpointEvery: number | undefined;
      }
  );

type Options = {
  stream: { readonly name: string; readonly place: Place } | undefined;
  all: Place | undefined;
  direction: Direction;
  count: number | undefined;
  isSubscription: boolean;
  filter: { readonly filter: EventFilter; readonly checkpointEvery: number } | undefined;
  structuredIds: boolean;
  resolveLinks: boolean;
  wantsStreamEnds: boolean;
};

/** Throws `GrpcError`. */
export function parseReadRequest(message: Buffer): ReadRequest {
  let options: Options | undefined;
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) options = readOptions(reader.message());
    else reader.skip();
  }
  if (options === undefined) throw invalidArgument('a read needs options');
  const { stream, all, filter, structuredIds, resolveLinks, wantsStreamEnds } = options;
  const form = { structuredIds, resolveLinks, wantsStreamEnds };
  if (options.isSubscription && options.direction === 'backwards')
    throw invalidArgument('a subscription goes forwards');
  if (stream !== undefined) {
    if (filter !== undefined) throw invalidArgument('a filter is served on $all only');
    const { name, place } = stream;
    if (options.isSubscription) return { kind: 'subscribeToStream', stream: name, after: place, ...form };
    return { kind: 'stream', stream: name, from: place, ...span(options), ...form };
  }
  if (all === undefined) throw invalidArgument('a read names a stream or $all');
  if (options.isSubscription) {
    return {
      kind: 'subscribeToAll',
      after: all,
      filter: filter?.filter,
      checkpointEvery: filter?.checkpointEvery,
      ...form,
    };
  }
  return { kind: 'all', from: all, filter: filter?.filter, ...span(options), ...form };
}

function span({ direction, count }: Options): { direction: Direction; count: number } {
  if (count === undefined || count < 1) throw invalidArgument('a read asks for at least one event');
  return { direction, count };
}

function readOptions(reader: WireReader): Options {
  const options: Options = {
    stream: undefined,
    all: undefined,
    direction: 'forwards',
    count: undefined,
    isSubscription: false,
    filter: undefined,
    structuredIds: false,
    resolveLinks: false,
    wantsStreamEnds: false,
  };
  while (reader.next()) {
    const take = optionReaders[reader.field];
    if (take === undefined) reader.skip();
    else take(reader, options);
  }
  return options;
}

const optionReaders: Readonly<Record<number, (reader: WireReader, options: Options) => void>> = {
  1: (reader, options) => (options.stream = readStreamOptions(reader.message())),
  2: (reader, options) => (options.all = readAllOptions(reader.message())),
  3: (reader, options) => (options.direction = reader.number() === 1 ? 'backwards' : 'forwards'),
  4: (reader, options) => (options.resolveLinks = reader.number() !== 0),
  5: (reader, options) => (options.count = reader.number()),
  6: (reader, options) => {
    reader.skip();
    options.isSubscription = true;
  },
  7: (reader, options) => (options.filter = readFilter(reader.message())),
  9: (reader, options) => (options.structuredIds = hasField(reader.message(), 1)),
  10: (reader, options) => (options.wantsStreamEnds = readFirstNumber(reader.message()) >= 1),
};

function readStreamOptions(reader: WireReader): { name: string; place: Place } {
  let name = '';
  let place: Place = 'start';
  while (reader.next()) {
    if (reader.field === 1) name = readStreamIdentifier(reader.message());
    else if (reader.field === 2) place = reader.number();
    else {
      if (reader.field === 4) place = 'end';
      reader.skip();
    }
  }
  if (name === '$all') throw invalidArgument(`'${name}' is not the name of a stream`);
  return { name: checkName(name), place };
}

/** The prepare position says nothing beside the commit position: here they are the same. */
function readAllOptions(reader: WireReader): Place {
  let place: Place = 'start';
  while (reader.next()) {
    if (reader.field === 1) place = readFirstNumber(reader.message());
    else {
      if (reader.field === 3) place = 'end';
      reader.skip();
    }
  }
  return place;
}

function readFilter(reader: WireReader): { filter: EventFilter; checkpointEvery: number } {
  let filter: EventFilter | undefined;
  let window = defaultWindow;
  let multiplier = 0;
  while (reader.next()) {
    if (reader.field === 1) filter = readExpression('stream', reader.message());
    else if (reader.field === 2) filter = readExpression('type', reader.message());
    else if (reader.field === 3) window = reader.number();
    else if (reader.field === 5) multiplier = reader.number();
    else reader.skip();
  }
  if (filter === undefined) throw invalidArgument('a filter is on stream names or on event types');
  return { filter, checkpointEvery: Math.max(1, window * multiplier) };
}

/** An expression that is not empty comes before prefixes, as in EventStoreDB. */
function readExpression(on: 'stream' | 'type', reader: WireReader): EventFilter {
  let expression = '';
  const prefixes: string[] = [];
  while (reader.next()) {
    if (reader.field === 1) expression = reader.text();
    else if (reader.field === 2) prefixes.push(reader.text());
    else reader.skip();
  }
  if (expression !== '') return compiled(on, expression);
  if (prefixes.length === 0 || prefixes.length > maxPrefixes) {
    throw invalidArgument(`a filter names between 1 and ${maxPrefixes} prefixes`);
  }
  if (prefixes.some(({ length }) => length > maxPrefixLength)) {
    throw invalidArgument(`a prefix of a filter is longer than ${maxPrefixLength} characters`);
  }
  return prefixFilter(on, prefixes);
}

function compiled(on: 'stream' | 'type', expression: string): EventFilter {
  try {
    return patternFilter(on, expression);
  } catch (error) {
    if (!(error instanceof RefusedPattern)) throw error;
    throw invalidArgument(error.message);
  }
}

function hasField(reader: WireReader, field: number): boolean {
  let found = false;
  while (reader.next()) {
    if (reader.field === field) found = true;
    reader.skip();
  }
  return found;
}

function readFirstNumber(reader: WireReader): number {
  let value = 0;
  while (reader.next()) {
    if (reader.field === 1) value = reader.number();
    else reader.skip();
  }
  return value;
}
