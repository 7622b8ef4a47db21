/**
 * One Secret of the agent's own cluster, read and replaced as the agent itself. It knows one name and two calls; it creates nothing,
 * lists nothing, and follows no redirect. The rule it lives by: a Secret is replaced as a whole, and only as it was last read.
 */
import { request, type IncomingMessage } from 'node:http';
import { failureSentence, type Place } from './failure-sentence.ts';
import { IdentityUnreachable } from './identity-store.ts';
import { apiServerTls, type KubernetesConfig } from './kubernetes-config.ts';
import { NoToken, ownToken, type OwnToken } from './service-account-token.ts';
import { dialTls } from './tls-dial.ts';

export type SecretName = { readonly namespace: string; readonly name: string };

/** What the agent knows of a Secret; whatever else it holds goes back as it came. */
export type Secret = {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> };
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
};

export type SecretClientOptions = {
  readonly config: KubernetesConfig;
  readonly secret: SecretName;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
};

const callMs = 10_000;
/** An API server takes Secrets up to 1 MiB, and tells who set what beside it. */
const mostBytes = 4_194_304;

type Answer = { readonly status: number; readonly text: string };

export class SecretClient {
  readonly #options: SecretClientOptions;
  readonly #token: OwnToken;
  readonly #place: Place;

  constructor(options: SecretClientOptions) {
    const { config, monotonic } = options;
    this.#options = options;
    this.#token = ownToken(config.token, monotonic);
    this.#place = { what: "The cluster's API server", host: config.url.host, trust: config.trustedBy };
  }

  /** For a sentence: `the Secret namespace/name`. */
  get called(): string {
    const { namespace, name } = this.#options.secret;
    return `the Secret ${namespace}/${name}`;
  }

  /** Rejects with `IdentityUnreachable`. */
  async read(): Promise<Secret> {
    const { status, text } = await this.#call('GET');
    const secret = status === 200 ? secretIn(text) : undefined;
    if (secret) return secret;
    throw this.#refused('read', status);
  }

  /** False when it is no longer as it was read. Rejects with `IdentityUnreachable`: then it may be replaced or not. */
  async replace(secret: Secret): Promise<boolean> {
    const { status } = await this.#call('PUT', JSON.stringify(secret));
    if (status === 409) return false;
    if (status !== 200) throw this.#refused('written', status);
    return true;
  }

  #refused(done: 'read' | 'written', status: number): IdentityUnreachable {
    const { namespace, name } = this.#options.secret;
    const reason = `${this.#place.what} answered with ${status}`;
    if (status === 404) {
      return new IdentityUnreachable(
        `${reason}: ${this.called} is not there, and the agent may not make it. ` +
          `Make it with: kubectl -n ${namespace} create secret generic ${name}`,
      );
    }
    const advice =
      status === 401 || status === 403
        ? `look at the Role that lets the agent get and update secrets named ${name} in ${namespace}`
        : 'it is tried again';
    return new IdentityUnreachable(`${reason}: ${this.called} cannot be ${done}; ${advice}.`);
  }

  async #call(method: 'GET' | 'PUT', body?: string): Promise<Answer> {
    try {
      return await this.#send(method, body);
    } catch (error) {
      if (error instanceof NoToken) throw new IdentityUnreachable(error.message);
      throw new IdentityUnreachable(failureSentence(error, this.#place, this.#options.now()));
    }
  }

  async #send(method: string, body: string | undefined): Promise<Answer> {
    const { config, secret } = this.#options;
    const signal = AbortSignal.timeout(callMs);
    const token = this.#token.peek() ?? (await this.#token.settled());
    const tls = await apiServerTls(config);
    const protocols = ['http/1.1'];
    const socket = await dialTls({ url: config.url, ca: tls.ca, protocols, deadlineMs: callMs, options: tls, signal });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const asked = request({
          method,
          path: `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`,
          headers: {
            host: config.url.host,
            accept: 'application/json',
            ...(token !== '' && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          createConnection: () => socket,
          signal,
        });
        asked.once('error', reject);
        asked.once('response', (response) => void answerOf(response).then(resolve, reject));
        asked.end(body);
      });
    } finally {
      socket.destroy();
    }
  }
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw new Error('the answer is longer than a Secret can be');
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

function secretIn(text: string): Secret | undefined {
  try {
    const secret = JSON.parse(text) as Secret | null;
    return typeof secret?.metadata?.resourceVersion === 'string' ? secret : undefined;
  } catch {
    return undefined;
  }
}
