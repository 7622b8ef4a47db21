/**
 * The one Secret of an API server for tests, with the rules of a real one that matter here: a replacement counts only with the
 * resource version that is current, and takes the place of all.
 */
import type { Secret } from '../secret-client.ts';
import { afterBody, type ApiServer, type Recorded } from './api-server.ts';

export class KeptSecret {
  readonly path: string;
  readonly #api: ApiServer;
  /** Undefined as long as nobody made it. */
  secret: Secret | undefined = { metadata: { resourceVersion: '1' } };
  /** Status with which a request is answered instead; 0 ends its connection after the work was done. */
  instead: (request: Recorded) => number | undefined = () => undefined;

  constructor(api: ApiServer, name: string) {
    const [namespace, own] = name.split('/');
    this.#api = api;
    this.path = `/api/v1/namespaces/${namespace}/secrets/${own}`;
    api.answer = afterBody((request) => this.#answer(request));
  }

  /** Names of what it holds. */
  get names(): readonly string[] {
    return Object.keys(this.secret?.data ?? {}).toSorted();
  }

  #answer(request: Recorded): void {
    const { response } = request;
    const instead = this.instead(request);
    if (instead) return void response.writeHead(instead).end();
    const status = this.#status(request);
    if (instead === 0) return this.#api.cut();
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 200 ? JSON.stringify(this.secret) : '{"kind":"Status"}');
  }

  #status({ method, target, body }: Recorded): number {
    if (target !== this.path) return 403;
    if (!this.secret) return 404;
    if (method === 'GET') return 200;
    const written = JSON.parse(body.toString()) as Secret;
    const { resourceVersion } = this.secret.metadata;
    if (written.metadata.resourceVersion !== resourceVersion) return 409;
    this.secret = {
      ...written,
      metadata: { ...written.metadata, resourceVersion: String(Number(resourceVersion) + 1) },
    };
    return 200;
  }
}
