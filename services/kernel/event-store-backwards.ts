/**
 * Reads the log backwards through a filter. The server can do that; the client has no method for it (its `readAll` never
 * sends a filter), so this builds the request itself and sends it over the client's own channel.
 */
import type { Readable } from 'node:stream';
import type { AllStreamResolvedEvent, Credentials, EventStoreDBClient } from '@eventstore/db-client';
import converters from '@eventstore/db-client/dist/utils/convertGrpcEvent.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc, { type StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { ignoreLateErrors } from './event-store-calls.ts';
import { isOfServer, toRecorded } from './event-store-facts.ts';

const deadlineMs = 10_000;
const backwards = 1;
const { Options } = streamsPb.ReadReq;

type Base = { readonly credentials: Credentials; readonly requiresLeader: boolean };
type Asked = Base & { readonly prefixes: readonly string[]; readonly limit: number };
type CallArguments = Parameters<StreamsClient['read']> extends [unknown, ...infer Rest] ? Rest : never;

/** What the client's types hide: how it opens a call on its channel and what it sends with it. */
type ClientInside = {
  callArguments(options: Base & { readonly deadline: number }): CallArguments;
  GRPCStreamCreator(
    client: typeof streamsGrpc.StreamsClient,
    name: string,
    open: (client: StreamsClient) => Readable,
  ): () => Promise<Readable & { cancel(): void }>;
};

/** The newest facts of the streams with these prefixes, newest first. Throws the errors of the call. */
export async function readBackwards(client: EventStoreDBClient, asked: Asked): Promise<readonly Recorded[]> {
  const { prefixes, limit, ...base } = asked;
  const inside = client as unknown as ClientInside;
  const request = createRequest(prefixes, limit);
  const open = inside.GRPCStreamCreator(streamsGrpc.StreamsClient, 'readBackwards', (grpc) =>
    grpc.read(request, ...inside.callArguments({ ...base, deadline: deadlineMs })),
  );
  const call = await open();
  ignoreLateErrors(call);
  const facts: Recorded[] = [];
  try {
    for await (const response of call as AsyncIterable<streamsPb.ReadResp>) {
      const event = response.getEvent();
      if (event === undefined) continue;
      const resolved: AllStreamResolvedEvent = converters.convertGrpcEvent(event);
      if (resolved.event !== undefined && !isOfServer(resolved.event)) facts.push(toRecorded(resolved.event));
    }
  } finally {
    call.cancel();
  }
  return facts;
}

function createRequest(prefixes: readonly string[], limit: number): streamsPb.ReadReq {
  const all = new Options.AllOptions();
  all.setEnd(new sharedPb.Empty());
  const expression = new Options.FilterOptions.Expression();
  expression.setPrefixList([...prefixes]);
  const filter = new Options.FilterOptions();
  filter.setStreamIdentifier(expression);
  filter.setCount(new sharedPb.Empty());
  filter.setCheckpointintervalmultiplier(1);
  const ids = new Options.UUIDOption();
  ids.setString(new sharedPb.Empty());
  const options = new Options();
  options.setAll(all);
  options.setReadDirection(backwards);
  options.setCount(String(limit));
  options.setFilter(filter);
  options.setUuidOption(ids);
  const request = new streamsPb.ReadReq();
  request.setOptions(options);
  return request;
}
