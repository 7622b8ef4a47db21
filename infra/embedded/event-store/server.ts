/**
 * The event store on the network: EventStoreDB's protocol without persistent subscriptions and server projections, over gRPC,
 * on a unix socket, a loopback port or a port with TLS. What is not served answers `UNIMPLEMENTED`; it is never half done.
 */
import { randomUUID } from 'node:crypto';
import type { EventLog } from './event-log.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';
import { GrpcServer, type Listen, type Method } from './grpc/grpc-server.ts';
import { status } from './grpc/status.ts';
import { snapshotOf, type MetricsSnapshot } from './metrics.ts';
import { Admission } from './protocol/admission.ts';
import { serveAppend } from './protocol/append-call.ts';
import { serveBatchAppend } from './protocol/batch-append-call.ts';
import { serveDelete } from './protocol/delete-call.ts';
import { serveGossip, serveSupportedMethods } from './protocol/discovery-calls.ts';
import { Reading } from './protocol/read-call.ts';
import { parseReadRequest } from './protocol/read-request.ts';
import type { ServedLog } from './protocol/served-log.ts';
import { SubscriptionLimit } from './protocol/subscription-limit.ts';
import { receiveOne } from './protocol/unary.ts';
import { DamagedLog } from './damage.ts';
import { GrpcError } from './grpc/status.ts';

/** As EventStoreDB has it by default. */
export const defaultMaxAppendBytes = 1024 * 1024;
/** EventStoreDB takes messages of this size, and the client counts on it: it sends batches of up to 3 MiB. */
const maxMessageBytes = 16 * 1024 * 1024;

const streams = '/event_store.client.streams.Streams';
const gossip = '/event_store.client.gossip.Gossip';
const serverFeatures = '/event_store.client.server_features.ServerFeatures';

export type ServeOptions = {
  readonly log: EventLog;
  readonly listen: readonly Listen[];
  /** Of the user `admin`. Without one everybody who can connect may do everything. */
  readonly password?: string;
  readonly maxAppendBytes?: number;
  readonly fatal: (error: Error) => void;
};

export type Serving = {
  /** One for each of `listen`; 0 for a socket. */
  readonly ports: readonly number[];
  metrics(): MetricsSnapshot;
  stop(): Promise<void>;
};

/** Resolves when it listens everywhere. Rejects with the system's error when it cannot. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { log, fatal, password, maxAppendBytes = defaultMaxAppendBytes } = options;
  const node = { instanceId: randomUUID(), port: 0 };
  const admission = new Admission(password, log.metrics);
  const subscriptions = new SubscriptionLimit();
  const reads = new Set<GrpcCall>();
  const methods = new Map<string, Method>();
  const server = new GrpcServer({ methods, maxMessageBytes, passwordWanted: password !== undefined, fatal });
  const served: ServedLog = { log, budget: server.budget, subscriptions, maxAppendBytes };
  const admitted =
    (method: Method): Method =>
    (call) => {
      admission.check(call);
      if (log.closing) throw new GrpcError(status.unavailable, 'the event store is stopping');
      method(call);
    };
  methods.set(
    `${streams}/Read`,
    admitted((call) => serveRead(served, call, reads)),
  );
  methods.set(
    `${streams}/Append`,
    admitted((call) => serveAppend(served, call)),
  );
  methods.set(
    `${streams}/BatchAppend`,
    admitted((call) => serveBatchAppend(served, call)),
  );
  methods.set(
    `${streams}/Delete`,
    admitted((call) => serveDelete('delete', served, call)),
  );
  methods.set(
    `${streams}/Tombstone`,
    admitted((call) => serveDelete('tombstone', served, call)),
  );
  methods.set(`${gossip}/Read`, (call) => serveGossip(node, call));
  methods.set(`${serverFeatures}/GetSupportedMethods`, (call) => serveSupportedMethods([...methods.keys()], call));
  const ports: number[] = [];
  for (const where of options.listen) ports.push(await server.listen(where));
  node.port = ports.find((port) => port !== 0) ?? 0;
  return {
    ports,
    metrics: () =>
      snapshotOf(log.metrics, {
        ...log.gauges(),
        bytesInHand: server.budget.used,
        connections: server.connections.open,
        refusedConnections: server.connections.refused,
        calls: server.openCalls,
        subscriptions: subscriptions.open,
        refusedSubscriptions: subscriptions.refused,
      }),
    stop: async () => {
      // Appends that wait are answered still; reads end now, before their files are closed.
      const closed = log.close();
      for (const call of reads) call.fail(status.unavailable, 'the event store is stopping');
      await server.stop(closed);
    },
  };
}

function serveRead({ log, subscriptions }: ServedLog, call: GrpcCall, reads: Set<GrpcCall>): void {
  receiveOne(call, (message) => {
    const request = parseReadRequest(message);
    if (request.kind === 'subscribeToAll' || request.kind === 'subscribeToStream') {
      call.onGone(subscriptions.enter(String(call.headers['connection-name'] ?? '')));
    }
    reads.add(call);
    call.onGone(() => reads.delete(call));
    new Reading(log, call).serve(request).catch((error: unknown) => {
      if (error instanceof GrpcError) call.failWith(error);
      else if (log.closing && !(error instanceof DamagedLog))
        call.fail(status.unavailable, 'the event store is stopping');
      else log.failed(error);
    });
  });
}
