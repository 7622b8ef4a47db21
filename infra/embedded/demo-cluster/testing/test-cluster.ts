/**
 * A demo cluster on a free port with keys of its own, and a client that speaks both HTTP versions as kubectl and the
 * agent do. For tests only.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';
import { type JsonObject, objectAt, textAt } from '../objects.ts';
import { type DemoCluster, type DemoClusterOptions, startDemoCluster } from '../start.ts';

export const token = 'a-service-account-token-for-tests';

/** One request; the user is impersonated with the agent's token unless headers say otherwise. */
export interface Asking {
  method?: string;
  path: string;
  as?: 'admin' | 'viewer' | 'agent' | 'nobody';
  headers?: Record<string, string | string[]>;
  body?: string | Buffer | JsonObject;
  http?: 1 | 2;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: JsonObject;
}

export interface TestCluster extends DemoCluster {
  /** The certificate of the cluster's CA (PEM). */
  ca: string;
  ask(asking: Asking): Promise<Answer>;
  /** Sends a request and gives its lines one by one; ending the loop ends the request. */
  lines(asking: Asking): AsyncGenerator<string>;
}

/** Starts a cluster whose pods start and stop within milliseconds. */
export async function startTestCluster(options: Partial<DemoClusterOptions> = {}): Promise<TestCluster> {
  const { ca, tls } = await makeTestKeys();
  const cluster = await startDemoCluster({
    tls,
    serviceAccountToken: token,
    now: () => new Date(),
    podStartMs: 20,
    podStopMs: 10,
    ...options,
  });
  let session: ClientHttp2Session | undefined;
  const http2 = (): ClientHttp2Session => (session ??= connect(cluster.url, { ca }));
  const open = (asking: Asking): Promise<Opened> =>
    asking.http === 1 ? openHttp1(cluster.port, ca, asking) : openHttp2(http2(), asking);
  return {
    ...cluster,
    ca,
    async ask(asking) {
      const { status, headers, body } = await open(asking);
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      return { status, headers, text, json: text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {} };
    },
    async *lines(asking) {
      const { body, close } = await open(asking);
      let rest = '';
      try {
        for await (const chunk of body) {
          const parts = (rest + chunk.toString()).split('\n');
          rest = parts.pop() ?? '';
          yield* parts;
        }
      } finally {
        close();
      }
    },
    async stop() {
      session?.destroy();
      await cluster.stop();
    },
  };
}

/** The name of a running pod with this label, once there is one; a pod of the demo application when none is said. */
export async function runningPod(cluster: TestCluster, label = 'app=web'): Promise<string> {
  const path = `/api/v1/namespaces/demo/pods?watch=1&labelSelector=${encodeURIComponent(label)}`;
  for await (const line of cluster.lines({ path })) {
    const event: unknown = JSON.parse(line);
    const { metadata, status } = objectAt(event, 'object');
    const stays = textAt(event, 'type') !== 'DELETED' && textAt(metadata, 'deletionTimestamp') === '';
    if (stays && textAt(status, 'phase') === 'Running') return textAt(metadata, 'name');
  }
  throw new Error(`no pod with the label ${label} runs`);
}

/** Makes a pod of one container without ports and waits until it runs. */
export async function startPod(cluster: TestCluster, name: string): Promise<string> {
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { run: name } },
    spec: { containers: [{ name: 'main', image: 'shop/web:1' }] },
  };
  await cluster.ask({ method: 'POST', path: '/api/v1/namespaces/demo/pods', body });
  return runningPod(cluster, `run=${name}`);
}

/** Takes a pod away at once. */
export async function deletePod(cluster: TestCluster, name: string): Promise<void> {
  await cluster.ask({ method: 'DELETE', path: `/api/v1/namespaces/demo/pods/${name}?gracePeriodSeconds=0` });
}

interface Opened {
  status: number;
  headers: Answer['headers'];
  body: AsyncIterable<Buffer>;
  close: () => void;
}

function openHttp2(session: ClientHttp2Session, asking: Asking): Promise<Opened> {
  const { method = 'GET', path } = asking;
  const { headers, body } = sent(asking);
  return new Promise((resolve, reject) => {
    // Node would end the request of a GET or DELETE by itself, body or not.
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false });
    stream.once('error', reject);
    stream.once('response', (answer) =>
      resolve({ status: Number(answer[':status']), headers: answer, body: stream, close: () => stream.close() }),
    );
    stream.end(body);
  });
}

function openHttp1(port: number, ca: string, asking: Asking): Promise<Opened> {
  const { method = 'GET', path } = asking;
  const { headers, body } = sent(asking);
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: '127.0.0.1', port, ca, method, path, headers, agent: false }, (answer) =>
      resolve({
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: answer,
        close: () => request.destroy(),
      }),
    );
    request.once('error', reject);
    request.end(body);
  });
}

function sent({ as = 'admin', headers = {}, body }: Asking): {
  headers: Record<string, string | string[]>;
  body: string | Buffer | undefined;
} {
  const people: Record<string, Record<string, string | string[]>> = {
    admin: { 'impersonate-user': 'admin@example.com', 'impersonate-group': ['system:masters'] },
    viewer: { 'impersonate-user': 'dev@example.com', 'impersonate-group': ['clustral:viewers', 'others'] },
  };
  const bearer = as === 'nobody' ? {} : { authorization: `Bearer ${token}` };
  const isData = typeof body === 'string' || body instanceof Buffer || body === undefined;
  const type = isData ? {} : { 'content-type': 'application/json' };
  return { headers: { ...bearer, ...people[as], ...type, ...headers }, body: isData ? body : JSON.stringify(body) };
}

/** A CA and a server key pair for 127.0.0.1, all PEM, good for an hour. */
export async function makeTestKeys(): Promise<{ ca: string; tls: { cert: string; key: string } }> {
  const [caKeys, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const now = Date.now();
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
  const ca = await createCaCertificate({ ...validity, keys: caKeys, commonName: 'demo cluster of a test' });
  const cert = await issueCertificate({
    ...validity,
    issuer: { certificatePem: ca, privateKeyPem: caKeys.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'demo cluster',
    names: { hosts: ['127.0.0.1', 'localhost'] },
    use: 'server',
  });
  return { ca, tls: { cert, key: keys.privateKeyPem } };
}
