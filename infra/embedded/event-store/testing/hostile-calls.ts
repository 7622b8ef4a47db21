/**
 * Calls that no client would make: valid requests of every method with bytes changed, cut off, doubled or invented, in frames
 * that lie about their length, cut by the network anywhere and given up halfway. The store must answer each with a status or
 * end the call, and go on serving others. Used by a short round of the tests and a long one of the bench.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';

export type HostileCall = {
  readonly path: string;
  readonly chunks: readonly Buffer[];
  /** The client leaves instead of ending its side. */
  readonly leaves: boolean;
};

const streams = '/event_store.client.streams.Streams';
const answerWithinMs = 10_000;

/** Seeds: one valid request of each kind. */
const seeds: readonly { readonly path: string; readonly messages: readonly Buffer[] }[] = [
  { path: `${streams}/Read`, messages: [readRequest((options) => streamOf(options))] },
  { path: `${streams}/Read`, messages: [readRequest((options) => allOf(options, 'cluster-'))] },
  { path: `${streams}/Append`, messages: appendRequests() },
  { path: `${streams}/BatchAppend`, messages: [batchRequest()] },
  { path: `${streams}/Delete`, messages: [deleteRequest()] },
  { path: `${streams}/Tombstone`, messages: [deleteRequest()] },
  { path: '/event_store.client.gossip.Gossip/Read', messages: [Buffer.alloc(0)] },
  { path: '/event_store.client.server_features.ServerFeatures/GetSupportedMethods', messages: [Buffer.alloc(0)] },
  { path: `${streams}/Nothing`, messages: [Buffer.alloc(3)] },
];

type Edit = (bytes: Buffer) => Buffer;

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })).map(([at, value]): Edit => (bytes) => {
    const copy = Buffer.from(bytes);
    if (copy.byteLength > 0) copy[at % copy.byteLength] = value;
    return copy;
  }),
  fc.nat(400).map(
    (at): Edit =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.byteLength + 1)),
  ),
  fc.uint8Array({ maxLength: 40 }).map(
    (noise): Edit =>
      (bytes) =>
        Buffer.concat([bytes, noise]),
  ),
  fc.tuple(fc.nat(400), fc.uint8Array({ maxLength: 20 })).map(([at, noise]): Edit => (bytes) => {
    const place = at % (bytes.byteLength + 1);
    return Buffer.concat([bytes.subarray(0, place), noise, bytes.subarray(place)]);
  }),
  fc.constant<Edit>((bytes) => Buffer.concat([bytes, bytes])),
  fc.uint8Array({ maxLength: 300 }).map(
    (noise): Edit =>
      () =>
        Buffer.from(noise),
  ),
  fc.constant<Edit>((bytes) => bytes),
);

export const hostileCalls: fc.Arbitrary<HostileCall> = fc
  .record({
    seed: fc.constantFrom(...seeds),
    inside: fc.array(edits, { maxLength: 3 }),
    outside: fc.array(edits, { maxLength: 1 }),
    cuts: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 4 }),
    leaves: fc.boolean(),
  })
  .map(({ seed, inside, outside, cuts, leaves }) => {
    const messages = seed.messages.map((message) =>
      framed(inside.reduce<Buffer>((bytes, edit) => edit(bytes), message)),
    );
    const bytes = outside.reduce<Buffer>((all, edit) => edit(all), Buffer.concat(messages));
    return { path: seed.path, chunks: cutInto(bytes, cuts), leaves };
  });

/** A session on a unix socket, for many calls. */
export function openSession(socketPath: string): ClientHttp2Session {
  return connect('http://localhost', { createConnection: () => connectSocket(socketPath) });
}

/** Makes the call. Resolves with the gRPC status, or how the call ended without one. Rejects when it never ends. */
export async function makeCall(session: ClientHttp2Session, { path, chunks, leaves }: HostileCall): Promise<string> {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  let outcome = 'closed';
  stream.on('response', (head) => (outcome = String(head['grpc-status'] ?? outcome)));
  stream.on('trailers', (trailers) => (outcome = String(trailers['grpc-status'] ?? outcome)));
  stream.on('error', (error) => (outcome = error.message)).resume();
  const ended = new Promise<string>((resolve) => stream.once('close', () => resolve(outcome)));
  for (const chunk of chunks) stream.write(chunk);
  if (leaves) setImmediate(() => stream.destroy());
  else stream.end();
  // A read that was changed into a subscription never ends by itself.
  const patience = setTimeout(() => stream.destroy(), path.endsWith('/Read') ? 300 : answerWithinMs);
  const how = await ended;
  clearTimeout(patience);
  return how;
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

function cutInto(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let rest = bytes;
  for (const size of sizes) {
    chunks.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return [...chunks, rest];
}

function identifier(): sharedPb.StreamIdentifier {
  const stream = new sharedPb.StreamIdentifier();
  stream.setStreamName(Buffer.from('hostile-1'));
  return stream;
}

function readRequest(place: (options: streamsPb.ReadReq.Options) => void): Buffer {
  const options = new streamsPb.ReadReq.Options();
  place(options);
  options.setCount('100');
  const request = new streamsPb.ReadReq();
  request.setOptions(options);
  return Buffer.from(request.serializeBinary());
}

function streamOf(options: streamsPb.ReadReq.Options): void {
  const stream = new streamsPb.ReadReq.Options.StreamOptions();
  stream.setStreamIdentifier(identifier());
  stream.setRevision('0');
  options.setStream(stream);
}

function allOf(options: streamsPb.ReadReq.Options, prefix: string): void {
  const expression = new streamsPb.ReadReq.Options.FilterOptions.Expression();
  expression.setRegex(`^${prefix}(\\d+|[a-f]{2,3})*$`);
  const filter = new streamsPb.ReadReq.Options.FilterOptions();
  filter.setStreamIdentifier(expression);
  filter.setMax(32);
  filter.setCheckpointintervalmultiplier(2);
  const all = new streamsPb.ReadReq.Options.AllOptions();
  all.setStart(new sharedPb.Empty());
  options.setAll(all);
  options.setFilter(filter);
}

function appendRequests(): Buffer[] {
  const options = new streamsPb.AppendReq.Options();
  options.setStreamIdentifier(identifier());
  options.setAny(new sharedPb.Empty());
  const header = new streamsPb.AppendReq();
  header.setOptions(options);
  const event = new streamsPb.AppendReq();
  const proposed = new streamsPb.AppendReq.ProposedMessage();
  const id = new sharedPb.UUID();
  id.setString('7d444840-9dc0-11d1-b245-5ffdce74fad2');
  proposed.setId(id);
  proposed.getMetadataMap().set('type', 'hostile').set('content-type', 'application/json');
  proposed.setData(Buffer.from('{"n":1}'));
  event.setProposedMessage(proposed);
  return [header, event].map((message) => Buffer.from(message.serializeBinary()));
}

function batchRequest(): Buffer {
  const options = new streamsPb.BatchAppendReq.Options();
  options.setStreamIdentifier(identifier());
  options.setAny(new sharedPb.Empty() as never);
  const request = new streamsPb.BatchAppendReq();
  const id = new sharedPb.UUID();
  id.setString('7d444840-9dc0-11d1-b245-5ffdce74fad2');
  request.setCorrelationId(id);
  request.setOptions(options);
  request.setIsFinal(true);
  const proposed = new streamsPb.BatchAppendReq.ProposedMessage();
  proposed.setId(id);
  proposed.getMetadataMap().set('type', 'hostile').set('content-type', 'application/octet-stream');
  proposed.setData(Buffer.from('{"n":1}'));
  request.addProposedMessages(proposed);
  return Buffer.from(request.serializeBinary());
}

function deleteRequest(): Buffer {
  const options = new streamsPb.DeleteReq.Options();
  options.setStreamIdentifier(identifier());
  options.setRevision('7');
  const request = new streamsPb.DeleteReq();
  request.setOptions(options);
  return Buffer.from(request.serializeBinary());
}
