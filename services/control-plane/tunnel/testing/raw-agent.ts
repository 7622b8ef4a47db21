/**
 * An agent for tests that does what it is told, right or wrong, on the stock Connect client and protobuf: so that what the control
 * plane's own codec and lanes do is seen from the outside.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { createClient, ConnectError, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AgentService, type AgentIdentity } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import {
  LaneRequestSchema,
  LaneResponseSchema,
  TunnelService,
  type ControlDown,
  type ControlUpSchema,
  type LaneRequest,
} from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { createCertificateRequest, createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { Outbox } from '@clustral/kernel/outbox.ts';

export type RawIdentity = { readonly keys: KeyPair; readonly certificatePem: string; readonly token: string };

/** A session with nothing verified: these tests are about what the server lets through. */
export async function openSession(
  url: URL,
  identity?: Pick<RawIdentity, 'keys' | 'certificatePem'>,
  options: ConnectionOptions = {},
): Promise<{ session: ClientHttp2Session; socket: TLSSocket; transport: Transport }> {
  const socket = connectTls({
    host: url.hostname,
    port: Number(url.port),
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...(identity ? { cert: identity.certificatePem, key: identity.keys.privateKeyPem } : {}),
    ...options,
  });
  await once(socket, 'secureConnect');
  const session = connect(url, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: 1024 * 1024 },
  });
  session.on('error', () => undefined);
  return { session, socket, transport: transportOn(url, session) };
}

function transportOn(url: URL, session: ClientHttp2Session): Transport {
  return createConnectTransport({
    baseUrl: url.origin,
    httpVersion: '2',
    acceptCompression: [],
    sessionManager: {
      authority: url.origin,
      request: (...[method, path, headers, options]) =>
        Promise.resolve(session.request({ ...headers, ':method': method, ':path': path }, options)),
      notifyResponseByteRead: () => undefined,
    },
  });
}

/** The code of the catalogue with which a call was refused; `ok` when it was not. */
export async function codeOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<string> {
  try {
    if (call instanceof Promise) await call;
    else for await (const _ of call) break;
    return 'ok';
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return error.findDetails(ErrorInfoSchema)[0]?.code ?? `no code: ${error.message}`;
  }
}

export type Enrolment = { readonly clusterId: string; readonly token: string; readonly keys?: KeyPair };

/** Redeems a bootstrap token. */
export async function enrolRaw(url: URL, { clusterId, token, keys }: Enrolment): Promise<RawIdentity> {
  const own = keys ?? (await createKeyPair('P-256'));
  const csr = await createCertificateRequest({ keys: own, commonName: 'whatever' });
  const { session, transport } = await openSession(url);
  try {
    const answer = await createClient(AgentService, transport).registerAgent({ clusterId, bootstrapToken: token, csr });
    return { keys: own, certificatePem: answer.certificatePem, token: answer.token };
  } finally {
    session.destroy();
  }
}

/** Calls a method of `AgentService` as that identity. */
export async function callAs(
  url: URL,
  identity: RawIdentity,
  call: (
    client: ReturnType<typeof createClient<typeof AgentService>>,
    options: { headers: { authorization: string } },
  ) => Promise<AgentIdentity>,
): Promise<AgentIdentity> {
  const { session, transport } = await openSession(url, identity);
  try {
    const headers = { authorization: `Bearer ${identity.token}` };
    return await call(createClient(AgentService, transport), { headers });
  } finally {
    session.destroy();
  }
}

type Up = MessageInitShape<typeof ControlUpSchema>;

/** One connection that said hello. */
export class RawAgent {
  readonly heard: ControlDown['message'][] = [];
  readonly instanceId: string;
  session!: ClientHttp2Session;
  socket!: TLSSocket;
  transport!: Transport;
  readonly #identity: RawIdentity;
  readonly #outbox = new Outbox<Up>();
  ended: Promise<string> = Promise.resolve('');

  constructor(identity: RawIdentity, instanceId: string = randomUUID()) {
    this.#identity = identity;
    this.instanceId = instanceId;
  }

  /** Rejects with the refusal of the hello. */
  async connect(url: URL, versions = { agentVersion: '1', kubernetesVersion: 'v1.34.0' }): Promise<this> {
    Object.assign(this, await openSession(url, this.#identity));
    const hello = Promise.withResolvers<void>();
    this.#outbox.push({ message: { case: 'hello', value: { ...versions, instanceId: this.instanceId } } });
    const speaking = async (): Promise<string> => {
      const client = createClient(TunnelService, this.transport);
      try {
        for await (const { message } of client.control(this.#outbox, { headers: this.headers })) {
          this.heard.push(message);
          if (message.case === 'hello') hello.resolve();
        }
        return 'ended';
      } catch (error) {
        hello.reject(error);
        return (error as Error).message;
      }
    };
    this.ended = speaking();
    await hello.promise;
    return this;
  }

  get headers(): { authorization: string } {
    return { authorization: `Bearer ${this.#identity.token}` };
  }

  say(message: Up): void {
    this.#outbox.push(message);
  }

  /** Opens a lane whose messages are read and written by protobuf. */
  async lane(): Promise<RawLane> {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': '/clustral.v1.TunnelService/Exchange',
      'content-type': 'application/connect+proto',
      'connect-protocol-version': '1',
      ...this.headers,
    });
    stream.on('error', () => undefined);
    await once(stream, 'response');
    return new RawLane(stream);
  }

  /** Opens lanes that answer by the function until they are reset. */
  async serve(count: number, answer: (lane: RawLane, request: LaneRequest) => void): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      const lane = await this.lane();
      lane.onRequest = (request) => answer(lane, request);
    }
  }

  close(): void {
    this.session.destroy();
  }
}

export class RawLane {
  readonly stream: ClientHttp2Stream;
  readonly requests: LaneRequest[] = [];
  onRequest: (request: LaneRequest) => void = () => undefined;
  #bytes = Buffer.alloc(0);

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
  }

  get isOpen(): boolean {
    return !this.stream.closed && !this.stream.destroyed;
  }

  send(...messages: readonly MessageInitShape<typeof LaneResponseSchema>[]): void {
    this.stream.write(Buffer.concat(messages.map((message) => reply(message))));
  }

  #read(): void {
    while (this.#bytes.length >= 5) {
      const length = this.#bytes.readUInt32BE(1);
      if (this.#bytes.length < 5 + length) return;
      const message = this.#bytes.subarray(5, 5 + length);
      const isEnd = this.#bytes[0] === 2;
      this.#bytes = this.#bytes.subarray(5 + length);
      if (isEnd) continue;
      const request = fromBinary(LaneRequestSchema, message);
      this.requests.push(request);
      this.onRequest(request);
    }
  }
}

/** A reply message in its envelope. */
export function reply(message: MessageInitShape<typeof LaneResponseSchema>): Buffer {
  return envelope(toBinary(LaneResponseSchema, create(LaneResponseSchema, message)));
}

export function envelope(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
