/**
 * The official client, below its conversions: events go out and come in as the bytes that are stored. The client turns JSON
 * into values and back, which is not always the same JSON again; a copy of a log has to be the log. What this needs of the
 * client's inside is what `services/kernel/event-store-backwards.ts` needs, too.
 */
import type { Readable } from 'node:stream';
import { StreamDeletedError, type Credentials } from '@eventstore/db-client';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc, { type StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, Metadata, ServiceError } from '@grpc/grpc-js';
import { closeClient, createClient } from '@clustral/kernel/event-store-client.ts';
import { formatUuid } from '../protocol/event-encoding.ts';
import { tombstoneRevision, type StoredEvent } from '../records.ts';
import type { DumpedEvent } from './dump-line.ts';

const deadlineMs = 30_000;
const { Options } = streamsPb.ReadReq;
const greatest = String(2n ** 63n - 1n);

type CallArguments = [metadata: Metadata, options: CallOptions];
type Base = { readonly credentials: Credentials; readonly requiresLeader: true };

/** What the client's types hide. */
type ClientInside = {
  callArguments(base: Base, options: { readonly deadline: number }): CallArguments;
  GRPCStreamCreator(
    client: typeof streamsGrpc.StreamsClient,
    name: string,
    open: (client: StreamsClient) => Readable,
  ): () => Promise<Readable & { cancel(): void }>;
  execute<T>(
    client: typeof streamsGrpc.StreamsClient,
    name: string,
    act: (client: StreamsClient) => Promise<T>,
  ): Promise<T>;
};

/** `written`, the stream was ended for good, or where the stream is instead (-1 without events). */
export type Appended = 'written' | 'tombstoned' | { readonly current: number };

export class RawClient {
  readonly #client: ReturnType<typeof createClient>['client'];
  readonly #inside: ClientInside;
  readonly #base: Base;

  /** Throws a plain `Error` when the string cannot be used. Connects to nothing yet. */
  constructor(connectionString: string) {
    const { client, credentials } = createClient(connectionString);
    this.#client = client;
    this.#inside = client as unknown as ClientInside;
    this.#base = { credentials, requiresLeader: true };
  }

  /** Every event of the server, oldest first. */
  async *all(): AsyncGenerator<StoredEvent> {
    const options = new Options();
    const all = new Options.AllOptions();
    all.setStart(new sharedPb.Empty());
    options.setAll(all);
    yield* this.#read(options, Number.MAX_SAFE_INTEGER);
  }

  /** One event of a stream, or undefined when it is not there. */
  async event(stream: string, revision: number): Promise<StoredEvent | undefined> {
    const options = new Options();
    const place = new Options.StreamOptions();
    place.setStreamIdentifier(identifierOf(stream));
    place.setRevision(String(revision));
    options.setStream(place);
    for await (const event of this.#read(options, 1)) return event.revision === revision ? event : undefined;
    return undefined;
  }

  /** Appends at exactly this revision (-1: no stream yet). */
  append(stream: string, expected: number, events: readonly DumpedEvent[]): Promise<Appended> {
    const options = new streamsPb.AppendReq.Options();
    options.setStreamIdentifier(identifierOf(stream));
    if (expected === -1) options.setNoStream(new sharedPb.Empty());
    else options.setRevision(String(expected));
    const header = new streamsPb.AppendReq();
    header.setOptions(options);
    const { promise, resolve, reject } = Promise.withResolvers<Appended>();
    return this.#inside.execute(streamsGrpc.StreamsClient, 'load', (grpc) => {
      const [metadata, call] = this.#inside.callArguments(this.#base, { deadline: Date.now() + deadlineMs });
      const sink = grpc.append(metadata, call, (error, response) => {
        if (error !== null && !isDeletion(error)) reject(error);
        else if (error !== null) resolve('tombstoned');
        else if (response.hasSuccess()) resolve('written');
        else resolve({ current: currentOf(response.getWrongExpectedVersion()) });
      });
      sink.on('error', reject);
      sink.write(header);
      for (const event of events) sink.write(proposalOf(event));
      sink.end();
      return promise;
    });
  }

  /** Ends the stream for good, if that has not happened yet. */
  async tombstone(stream: string): Promise<void> {
    try {
      await this.#client.tombstoneStream(stream, this.#base);
    } catch (error) {
      if (!(error instanceof StreamDeletedError)) throw error;
    }
  }

  async close(): Promise<void> {
    await closeClient(this.#client);
  }

  async *#read(options: streamsPb.ReadReq.Options, count: number): AsyncGenerator<StoredEvent> {
    const ids = new Options.UUIDOption();
    ids.setString(new sharedPb.Empty());
    options.setUuidOption(ids);
    options.setReadDirection(0);
    options.setCount(String(count));
    options.setNoFilter(new sharedPb.Empty());
    const request = new streamsPb.ReadReq();
    request.setOptions(options);
    const open = this.#inside.GRPCStreamCreator(streamsGrpc.StreamsClient, 'dump', (grpc) =>
      grpc.read(request, ...this.#inside.callArguments(this.#base, { deadline: Infinity })),
    );
    const call = await open();
    // One that comes after the reading is over would otherwise be thrown at the whole process.
    call.on('error', () => undefined);
    try {
      for await (const response of call as AsyncIterable<streamsPb.ReadResp>) {
        const recorded = response.getEvent()?.getEvent();
        if (recorded !== undefined) yield storedOf(recorded);
      }
    } finally {
      call.cancel();
    }
  }
}

function isDeletion({ metadata }: ServiceError): boolean {
  return metadata.get('exception')[0] === 'stream-deleted';
}

function storedOf(recorded: streamsPb.ReadResp.ReadEvent.RecordedEvent): StoredEvent {
  const metadata = recorded.getMetadataMap();
  const revision = recorded.getStreamRevision();
  return {
    position: Number(recorded.getCommitPosition()),
    stream: Buffer.from(recorded.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(),
    revision: revision === greatest ? tombstoneRevision : Number(revision),
    id: Buffer.from((recorded.getId()?.getString() ?? '').replaceAll('-', ''), 'hex'),
    type: metadata.get('type') ?? '',
    json: metadata.get('content-type') === 'application/json',
    createdAt: Number(BigInt(metadata.get('created') ?? 0) / 10_000n),
    data: Buffer.from(recorded.getData_asU8()),
    metadata: Buffer.from(recorded.getCustomMetadata_asU8()),
  };
}

function proposalOf({ id, type, json, data, metadata }: DumpedEvent): streamsPb.AppendReq {
  const proposed = new streamsPb.AppendReq.ProposedMessage();
  const uuid = new sharedPb.UUID();
  uuid.setString(formatUuid(id));
  proposed.setId(uuid);
  proposed.getMetadataMap().set('type', type);
  proposed.getMetadataMap().set('content-type', json ? 'application/json' : 'application/octet-stream');
  proposed.setData(data);
  proposed.setCustomMetadata(metadata);
  const request = new streamsPb.AppendReq();
  request.setProposedMessage(proposed);
  return request;
}

function identifierOf(stream: string): sharedPb.StreamIdentifier {
  const identifier = new sharedPb.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  return identifier;
}

function currentOf(wrong: streamsPb.AppendResp.WrongExpectedVersion | undefined): number {
  return wrong?.hasCurrentRevision() === true ? Number(wrong.getCurrentRevision()) : -1;
}
