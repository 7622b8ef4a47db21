/**
 * The gRPC side of the embedded event store: EventStoreDB's protocol, as far as the product uses it, on a unix socket and,
 * for tests, on a loopback port. Who may connect is decided by the folder the socket lies in (mode 0700): there are no
 * users and no TLS here. What is not served answers `UNIMPLEMENTED`; it is never half done.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server as SocketServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import serverFeaturesGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import serverFeaturesPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { serveAppend } from './append-call.ts';
import { maxAppendBytes, UploadBudget } from './append-upload.ts';
import type { EventLog } from './event-log.ts';
import { Outlet, type ReadCall } from './outlet.ts';
import { serveRead } from './read-call.ts';
import { parseReadRequest, RefusedRequest } from './read-request.ts';
import { SubscriptionLimit } from './subscription-limit.ts';

const maxConnections = 64;
const maxCallsPerConnection = 512;
const stopGraceMs = 1_000;
/** The protocol version whose behaviour is followed; clients choose their features by the list of methods. */
const protocolVersion = '24.10.0';

const { StreamsService } = streamsGrpc;
const { ServerFeaturesService } = serverFeaturesGrpc;
const servedMethods = [StreamsService.read, StreamsService.append, ServerFeaturesService.getSupportedMethods];
const stopping = { code: status.UNAVAILABLE, details: 'the event store is stopping' };

export type ServeOptions = {
  readonly log: EventLog;
  readonly socketPath: string;
  /** A port of 127.0.0.1 to listen on as well, 0 for a free one. */
  readonly tcpPort?: number;
  readonly fatal: (error: Error) => void;
};

export type Serving = { readonly tcpPort: number | undefined; stop(): Promise<void> };

/** Resolves when it listens. A socket file that a crash left behind is replaced: the folder's lock is held already. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const calls = new Set<Outlet>();
  const server = createGrpcServer(options, calls);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const listen = (address: string | number) => {
    const listener = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      injector.injectConnection(socket);
    });
    listener.maxConnections = maxConnections;
    return listening(listener, address);
  };
  rmSync(options.socketPath, { force: true });
  const listeners = [await listen(options.socketPath)];
  chmodSync(options.socketPath, 0o600);
  if (options.tcpPort !== undefined) listeners.push(await listen(options.tcpPort));
  return {
    tcpPort: (listeners[1]?.address() as AddressInfo | undefined)?.port,
    stop: async () => {
      for (const listener of listeners) listener.close();
      const closed = options.log.close();
      for (const call of calls) call.fail(stopping);
      await closed;
      injector.drain(stopGraceMs);
      await emptied(sockets);
      for (const socket of sockets) socket.destroy();
      server.forceShutdown();
    },
  };
}

function createGrpcServer({ log, fatal }: ServeOptions, calls: Set<Outlet>): Server {
  const server = new Server({
    'grpc.max_concurrent_streams': maxCallsPerConnection,
    // One message is one event; the sum over an append is checked as the messages come.
    'grpc.max_receive_message_length': maxAppendBytes + 64 * 1024,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  const limit = new SubscriptionLimit();
  const budget = new UploadBudget();
  const read = (call: ReadCall): void => {
    const outlet = new Outlet(call);
    if (log.closing) return outlet.fail(stopping);
    calls.add(outlet);
    answerRead({ log, call, outlet, limit })
      .catch((error: unknown) => fatal(error instanceof Error ? error : new Error(String(error))))
      .finally(() => calls.delete(outlet));
  };
  // Answers of a read are encoded by hand; see read-response.ts.
  const readMethod = { ...StreamsService.read, responseSerialize: (message: Buffer) => message };
  server.addService(
    { read: readMethod, append: StreamsService.append },
    {
      read,
      append: (call: Parameters<typeof serveAppend>[1], answer: Parameters<typeof serveAppend>[2]) =>
        serveAppend({ log, budget }, call, answer),
    },
  );
  server.addService({ getSupportedMethods: ServerFeaturesService.getSupportedMethods }, { getSupportedMethods });
  return server;
}

type Reading = { log: EventLog; call: ReadCall; outlet: Outlet; limit: SubscriptionLimit };

/** Throws only what nobody foresaw. */
async function answerRead({ log, call, outlet, limit }: Reading): Promise<void> {
  let leave: (() => void) | undefined;
  try {
    const request = parseReadRequest(call.request);
    if (request.kind === 'subscribeToAll' || request.kind === 'subscribeToStream') {
      leave = limit.enter(String(call.metadata.get('connection-name')[0] ?? ''));
    }
    await serveRead(log, request, outlet);
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error;
    outlet.fail({ code: error.code, details: error.message });
  } finally {
    leave?.();
  }
}

function getSupportedMethods(
  _call: ServerUnaryCall<unknown, unknown>,
  answer: sendUnaryData<serverFeaturesPb.SupportedMethods>,
): void {
  const methods = new serverFeaturesPb.SupportedMethods();
  methods.setEventStoreServerVersion(protocolVersion);
  for (const { path } of servedMethods) {
    const [, service = '', name = ''] = path.split('/');
    const method = new serverFeaturesPb.SupportedMethod();
    method.setServiceName(service.toLowerCase());
    method.setMethodName(name.toLowerCase());
    methods.addMethods(method);
  }
  answer(null, methods);
}

async function listening(listener: SocketServer, address: string | number): Promise<SocketServer> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    if (typeof address === 'number') listener.listen(address, '127.0.0.1', resolve);
    else listener.listen(address, resolve);
  });
  return listener;
}

/** Resolves when all are closed, or after the grace. */
async function emptied(sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await Promise.race([Promise.all(closed), sleep(stopGraceMs, undefined, { ref: false })]);
}
