/**
 * A connection to the control plane: HTTP/2 over TLS 1.3 (behaviour of :5443), with the identity's certificate or, at first
 * contact, without one. It trusts the given CAs only and refuses a server that does not speak HTTP/2. Its windows let a
 * bulk upload run at the speed of the network.
 */
import http2, { type ClientHttp2Session } from 'node:http2';
import { createClient, type Client, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { dialTls } from './tls-dial.ts';

const dialMs = 10_000;
const windows = { stream: 8 * 1024 * 1024, connection: 64 * 1024 * 1024 };
/** The longest message of the calls that are not lanes. */
const mostMessageBytes = 262_144;

export type SessionOrder = {
  readonly url: URL;
  readonly ca: string | readonly string[];
  /** None at first contact. */
  readonly identity?: { readonly certificatePem: string; readonly privateKeyPem: string };
};

/** Dials. Rejects with node's error; what it means is said by `failureSentence`. */
export async function openSession({ url, ca, identity }: SessionOrder): Promise<ClientHttp2Session> {
  const socket = await dialTls({
    url,
    ca,
    protocols: ['h2'],
    deadlineMs: dialMs,
    options: {
      minVersion: 'TLSv1.3',
      ...(identity ? { cert: identity.certificatePem, key: identity.privateKeyPem } : {}),
    },
  });
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy();
    throw Object.assign(new Error(`${url.host} does not speak HTTP/2`), { code: 'ERR_NO_HTTP2' });
  }
  const session = http2.connect(url, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: windows.stream },
    maxSessionMemory: 256,
  });
  // Whatever breaks a session also closes it, and its owner listens for that.
  session.on('error', () => undefined);
  session.setLocalWindowSize(windows.connection);
  return session;
}

/** Stock Connect on exactly this connection: it is never dialled again behind our back. */
export function transportOn(session: ClientHttp2Session, url: URL): Transport {
  return createConnectTransport({
    baseUrl: url.origin,
    httpVersion: '2',
    acceptCompression: [],
    readMaxBytes: mostMessageBytes,
    sessionManager: {
      authority: url.origin,
      request: async (...[method, path, headers]) => session.request({ ...headers, ':method': method, ':path': path }),
      notifyResponseByteRead: () => undefined,
    },
  });
}

/** Makes calls on a connection of their own, which ends with them. */
export async function withAgentService<T>(
  order: SessionOrder,
  call: (service: Client<typeof AgentService>) => Promise<T>,
): Promise<T> {
  const session = await openSession(order);
  try {
    return await call(createClient(AgentService, transportOn(session, order.url)));
  } finally {
    session.destroy();
  }
}
