/**
 * A control plane while another one is active (D18): it listens where it will serve, says on readiness that it waits, and refuses
 * everything else, so that whoever comes by knows to ask the other one. It looks at no token and reads no request.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '@clustral/schemas/errors.ts';
import { connectAnswer, problemAnswer, type ErrorAnswer } from '@clustral/kernel/http-errors.ts';
import { buildHttpServer, correlationOf, serverLimits } from '@clustral/kernel/http-server.ts';
import { kubernetesAnswer } from '@clustral/kernel/kubernetes-answer.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { responseOn } from '@clustral/kernel/upgrade.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { proxyPrefix } from './proxy/path.ts';
import { startTunnelServer } from './tunnel/listener.ts';

export type WaitingOptions = {
  readonly listenHost: string;
  readonly port: number;
  readonly tunnel: { readonly host: string; readonly port: number; readonly serverNames: readonly string[] };
  readonly authority: CertificateAuthority;
  readonly docsBaseUrl: string;
  readonly now: () => Date;
  readonly monotonic: () => number;
  readonly log: Log;
};

export class Waiting {
  readonly #options: WaitingOptions;
  #sentence = '';
  #running: Running[] = [];

  constructor(options: WaitingOptions) {
    this.#options = options;
  }

  /** Listens, and says `sentence` from then on. Rejects when a port is taken. */
  async begin(sentence: string): Promise<void> {
    this.#sentence = sentence;
    if (this.#running.length > 0) return;
    const app = this.#httpServer();
    this.#running.push({ stop: () => app.close() });
    await app.listen({ host: this.#options.listenHost, port: this.#options.port });
    this.#running.push(await this.#tunnelServer());
  }

  /** Closes both ports. Does nothing when it never waited. */
  async end(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((running) => running.stop()));
  }

  #refusal(): Refusal {
    return new Refusal('STORE_UNAVAILABLE', this.#sentence, { retryAfterSeconds: '5' });
  }

  #httpServer(): FastifyInstance {
    const { log, docsBaseUrl } = this.#options;
    return buildHttpServer({
      log,
      docsBaseUrl,
      notReady: () => Promise.resolve(this.#sentence),
      createServer: (handler) => this.#refusingServer(handler),
    });
  }

  #refusingServer(handler: RequestListener): Server {
    const refuse = (request: IncomingMessage, response: ServerResponse): void => {
      const { status, headers, body } = this.#answerTo(request);
      response.writeHead(status, { ...headers, connection: 'close' });
      response.end(request.method === 'HEAD' ? undefined : body);
      request.resume();
    };
    const server = createServer(serverLimits, (request, response) => {
      if (request.url?.startsWith('/healthz')) handler(request, response);
      else refuse(request, response);
    });
    server.on('upgrade', (request, socket, head) => {
      const response = responseOn(request, socket as Socket, head);
      if (response) refuse(request, response);
    });
    return server;
  }

  #answerTo(request: IncomingMessage): ErrorAnswer {
    const [path = '/'] = (request.url ?? '/').split('?');
    const { correlationId } = correlationOf(request);
    const context = { docsBaseUrl: this.#options.docsBaseUrl, correlationId };
    if (path.startsWith(proxyPrefix)) return kubernetesAnswer(this.#refusal(), context, request);
    if (path.startsWith('/clustral.v1.')) return connectAnswer(this.#refusal(), context);
    return problemAnswer(this.#refusal(), { ...context, instance: path });
  }

  #tunnelServer(): Promise<Running> {
    const refused = (): Promise<never> => Promise.reject(this.#refusal());
    return startTunnelServer({
      ...this.#options,
      ...this.#options.tunnel,
      authenticator: { peerOf: () => this.#refusal(), authenticate: refused, recheck: () => undefined },
      answer: () => undefined,
      onRefused: () => undefined,
    });
  }
}
