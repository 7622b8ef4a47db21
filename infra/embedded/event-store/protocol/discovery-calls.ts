/**
 * What clients ask before they begin, without a password: which methods are served, and which nodes there are. This is one
 * node and always the leader, so a client that insists on the leader (`requires-leader`) has found it.
 *
 *   SupportedMethods   1 method (1 name, 2 service, 3 features)  2 version
 *   ClusterInfo        1 member (1 instance id, 2 time stamp, 3 state, 4 is alive, 5 address (1 host, 2 port))
 */
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { bytesField, encode, messageField, numberField } from '../grpc/wire-writer.ts';
import { receiveOne } from './unary.ts';

/** The protocol version whose behaviour is followed; clients choose their features by the list of methods. */
const protocolVersion = '24.10.0';
const leader = 8;
/** What clients may rely on beyond the method itself. */
const features: Readonly<Record<string, readonly string[]>> = {
  read: ['position', 'events'],
  batchappend: ['deadline_duration'],
};

/** `paths` are those of the served methods: `/package.Service/Method`. */
export function serveSupportedMethods(paths: readonly string[], call: GrpcCall): void {
  receiveOne(call, () => {
    const methods = paths.map((path) => {
      const [, service = '', name = ''] = path.toLowerCase().split('/');
      const own = (features[name] ?? []).map((feature) => bytesField(3, feature));
      return messageField(1, bytesField(1, name), bytesField(2, service), ...own);
    });
    call.finish(encode(...methods, bytesField(2, protocolVersion)));
  });
}

/** The address is the one the client has used: behind a name, a proxy or a forwarded port it is the only one that works. */
export function serveGossip(node: { readonly instanceId: string; readonly port: number }, call: GrpcCall): void {
  receiveOne(call, () => {
    const { host, port } = addressOf(String(call.headers[':authority'] ?? ''), node.port);
    call.finish(
      messageField(
        1,
        messageField(1, bytesField(2, node.instanceId)),
        numberField(2, BigInt(Date.now()) * 10_000n),
        numberField(3, leader),
        numberField(4, 1),
        messageField(5, bytesField(1, host), numberField(2, port)),
      ),
    );
  });
}

function addressOf(authority: string, fallbackPort: number): { host: string; port: number } {
  const [, host = authority, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(authority) ?? [];
  return { host: host === '' ? '127.0.0.1' : host, port: port === undefined ? fallbackPort : Number(port) };
}
