/**
 * A server in a thread that answers every append at once and stores nothing: what is left is the official client and the way to
 * a server and back. No store can be quicker than that plus the disk.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { GrpcCall } from '../embedded/event-store/grpc/grpc-call.ts';
import { GrpcServer } from '../embedded/event-store/grpc/grpc-server.ts';
import { bytesField, messageField, numberField } from '../embedded/event-store/grpc/wire-writer.ts';

const append = (call: GrpcCall): void => {
  let messages = 0;
  call.receive({
    message: () => (messages += 1),
    end: () =>
      call.finish(messageField(1, numberField(1, messages), messageField(3, numberField(1, 1), numberField(2, 1)))),
  });
};
const features = (call: GrpcCall): void =>
  call.receive({ message: () => undefined, end: () => call.finish(bytesField(2, '24.10.0')) });

const server = new GrpcServer({
  methods: new Map([
    ['/event_store.client.streams.Streams/Append', append],
    ['/event_store.client.server_features.ServerFeatures/GetSupportedMethods', features],
  ]),
  maxMessageBytes: 16 * 1024 * 1024,
  passwordWanted: false,
  fatal: (error) => {
    throw error;
  },
});
await server.listen({ kind: 'socket', path: (workerData as { path: string }).path });
parentPort?.postMessage('listening');
