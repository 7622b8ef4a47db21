/**
 * A control plane's end of :5443 made of nothing but stock Connect: what the agent's hand-written lanes must understand and be
 * understood by. It believes every agent and carries requests as a test says.
 */
import http2, { type ServerHttp2Session } from 'node:http2';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import {
  ControlDownSchema,
  TunnelService,
  type ControlUp,
  type LaneRequestSchema,
  type LaneResponse,
} from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { formatBootstrapToken } from '@clustral/schemas/bootstrap-token.ts';
import {
  createCaCertificate,
  createKeyPair,
  issueCertificate,
  publicKeyHash,
  readCertificateRequest,
  spkiOf,
  type KeyPair,
} from '@clustral/kernel/x509.ts';
import { Outbox } from '@clustral/kernel/outbox.ts';

const day = 86_400_000;
const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 90 * day) };

type Down = MessageInitShape<typeof ControlDownSchema>['message'];
type Request = MessageInitShape<typeof LaneRequestSchema>;

/** One lane, as a stock handler sees it. */
export class StockLane {
  readonly requests = new Outbox<Request>();
  readonly responses: AsyncIterator<LaneResponse>;

  constructor(responses: AsyncIterator<LaneResponse>) {
    this.responses = responses;
  }

  /** Sends a request and reads until its answer has ended. */
  async ask(...messages: readonly Request[]): Promise<readonly LaneResponse[]> {
    for (const message of messages) this.requests.push(message);
    return this.rest();
  }

  /** Reads until an answer has ended. */
  async rest(): Promise<readonly LaneResponse[]> {
    const answer: LaneResponse[] = [];
    for (;;) {
      const message = await this.next();
      answer.push(message);
      if (message.end || message.error) return answer;
    }
  }

  /** The next message that says something. */
  async next(): Promise<LaneResponse> {
    for (;;) {
      const { value, done } = await this.responses.next();
      if (done) throw new Error('the agent ended the lane');
      const { head, data, end, error } = value;
      if (head || data.length > 0 || end || error) return value;
    }
  }
}

export class StockControlPlane {
  readonly ups: ControlUp['message'][] = [];
  readonly lanes: StockLane[] = [];
  readonly tokens: string[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  readonly controls = new Set<Outbox<Down>>();
  readonly clusterId: string;
  readonly caPem: string;
  readonly #caKeys: KeyPair;
  readonly #server: http2.Http2SecureServer;
  epoch = 1n;
  idleLanes = 2;
  maxLanes = 50;
  /** Refuses the next streams of `Control` with this. */
  refusal: ConnectError | undefined;

  constructor(parts: { clusterId: string; caPem: string; caKeys: KeyPair; cert: string; key: string }) {
    this.clusterId = parts.clusterId;
    this.caPem = parts.caPem;
    this.#caKeys = parts.caKeys;
    this.#server = http2.createSecureServer(
      {
        key: parts.key,
        cert: `${parts.cert}${parts.caPem}`,
        ca: parts.caPem,
        minVersion: 'TLSv1.3',
        requestCert: true,
        rejectUnauthorized: false,
      },
      connectNodeAdapter({ routes: (router) => this.#routes(router) }),
    );
    this.#server.on('session', (session) => {
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => undefined);
    });
  }

  static async start(clusterId: string): Promise<StockControlPlane> {
    const [caKeys, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
    const caPem = await createCaCertificate({ keys: caKeys, commonName: 'stock CA', ...validity });
    const cert = await issueCertificate({
      ...validity,
      issuer: { certificatePem: caPem, privateKeyPem: caKeys.privateKeyPem },
      publicKey: spkiOf(keys.publicKeyPem),
      commonName: 'localhost',
      names: { hosts: ['127.0.0.1'] },
      use: 'server',
    });
    const started = new StockControlPlane({ clusterId, caPem, caKeys, cert, key: keys.privateKeyPem });
    await new Promise<void>((resolve) => started.#server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get url(): URL {
    return new URL(`https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** A bootstrap token with the true pin. */
  get token(): string {
    const publicKeyPem = createPublicKey(createPrivateKey(this.#caKeys.privateKeyPem)).export({
      type: 'spki',
      format: 'pem',
    });
    return formatBootstrapToken({
      caPin: publicKeyHash(spkiOf(publicKeyPem.toString()), 'base64url'),
      secret: 'A'.repeat(43),
    });
  }

  /** Says something on every `Control` stream. */
  say(message: Down): void {
    for (const control of this.controls) control.push(message);
  }

  /** A further CA, PEM. */
  async anotherAuthority(): Promise<string> {
    return createCaCertificate({ keys: await createKeyPair('P-256'), commonName: 'the next CA', ...validity });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.sessions) session.destroy();
    await closed;
  }

  #routes(router: ConnectRouter): void {
    router.service(AgentService, {
      registerAgent: ({ csr }) => this.#identity(csr),
      renewCertificate: ({ csr }) => this.#identity(csr),
      renewToken: () => ({ token: 'renewed-token' }),
    });
    router.service(TunnelService, {
      control: (ups, context) => this.#control(ups, context),
      exchange: (responses, context) => this.#exchange(responses, context),
    });
  }

  async #identity(csr: Uint8Array) {
    const publicKey = await readCertificateRequest(csr);
    if (!publicKey) throw new ConnectError('not a request', Code.InvalidArgument);
    const certificatePem = await issueCertificate({
      ...validity,
      issuer: { certificatePem: this.caPem, privateKeyPem: this.#caKeys.privateKeyPem },
      publicKey,
      commonName: this.clusterId,
      names: { uris: [`urn:clustral:cluster:${this.clusterId}`] },
      use: 'client',
    });
    return { clusterId: this.clusterId, certificatePem, caBundlePem: this.caPem, token: tokenUntil(validity.notAfter) };
  }

  async *#control(ups: AsyncIterable<ControlUp>, context: HandlerContext) {
    if (this.refusal) throw this.refusal;
    this.tokens.push(context.requestHeader.get('authorization') ?? '');
    const downs = new Outbox<Down>();
    this.controls.add(downs);
    const listening = (async () => {
      for await (const { message } of ups) this.ups.push(message);
    })().catch(() => undefined);
    void listening.then(() => downs.close());
    context.signal.addEventListener('abort', () => downs.close());
    const { epoch, idleLanes, maxLanes } = this;
    yield create(ControlDownSchema, {
      message: { case: 'hello', value: { epoch, idleLanes, maxLanes, heartbeatIntervalMs: 1_000 } },
    });
    for await (const message of downs) yield create(ControlDownSchema, { message: message ?? { case: undefined } });
    this.controls.delete(downs);
  }

  async *#exchange(responses: AsyncIterable<LaneResponse>, context: HandlerContext): AsyncGenerator<Request> {
    const lane = new StockLane(responses[Symbol.asyncIterator]());
    this.lanes.push(lane);
    context.signal.addEventListener('abort', () => {
      lane.requests.close();
      const place = this.lanes.indexOf(lane);
      if (place >= 0) this.lanes.splice(place, 1);
    });
    // Connect sends the head of its answer with the first message.
    yield {};
    yield* lane.requests;
  }
}

/** What looks like a token with an end; nobody here verifies it. */
export function tokenUntil(end: Date): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Math.floor(end.getTime() / 1000) })}.x`;
}
