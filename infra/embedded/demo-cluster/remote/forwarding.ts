/**
 * The connections of one port-forward. The client opens two streams for each: one for errors, one for data, tied by a
 * request id. A port that a container declares is answered by the pod's web server; any other refuses, as an empty
 * port of a real pod does.
 */
import type { Server } from 'node:http';
import { finished } from 'node:stream/promises';
import { ignoreLeaving } from '../byte-queue.ts';
import { limits } from '../limits.ts';
import { isJsonObject, type KubeObject, listAt, numberAt, textAt } from '../objects.ts';
import { resetStatus } from '../spdy/frames.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { duplexOf } from './stream-duplex.ts';
import { createWebApp } from './web-app.ts';

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
  late: NodeJS.Timeout;
}

export class Forwarding {
  readonly #pod: KubeObject;
  readonly #web: Server;
  readonly #ports: ReadonlySet<number>;
  readonly #pairs = new Map<string, Pair>();

  constructor(pod: KubeObject) {
    this.#pod = pod;
    this.#web = createWebApp(pod.metadata.name);
    this.#ports = declaredPorts(pod);
  }

  /** Takes a stream the client opened; the second of a pair begins a connection. */
  accept(stream: SpdyStream): void {
    const [type, port, request] = ['streamtype', 'port', 'requestid'].map((name) => stream.headers.get(name) ?? '');
    if ((type !== 'error' && type !== 'data') || !/^\d{1,5}$/.test(port ?? '')) return refuse(stream);
    const key = `${request}/${port}`;
    const pair = this.#pairs.get(key) ?? this.#newPair(key);
    if (pair[type] !== undefined) return refuse(stream);
    pair[type] = stream;
    if (pair.error === undefined || pair.data === undefined) return;
    clearTimeout(pair.late);
    this.#pairs.delete(key);
    this.#connect(Number(port), pair.error, pair.data).catch(ignoreLeaving);
  }

  close(): void {
    for (const { late } of this.#pairs.values()) clearTimeout(late);
    this.#pairs.clear();
    this.#web.closeAllConnections();
  }

  async #connect(port: number, error: SpdyStream, data: SpdyStream): Promise<void> {
    error.ignore();
    if (this.#ports.has(port)) {
      const connection = duplexOf(data);
      this.#web.emit('connection', connection);
      // However the connection ends, its error stream has nothing to tell about it.
      await finished(connection).catch(() => undefined);
    } else {
      const { name, uid } = this.#pod.metadata;
      await error.write(
        Buffer.from(
          `error forwarding port ${port} to pod ${name}, uid ${uid}: failed to connect to localhost:${port} ` +
            `inside the pod: dial tcp4 127.0.0.1:${port}: connect: connection refused`,
        ),
      );
      data.ignore();
      await data.end();
    }
    await error.end();
  }

  #newPair(key: string): Pair {
    const late = setTimeout(() => {
      const { error, data } = this.#pairs.get(key) ?? {};
      this.#pairs.delete(key);
      for (const stream of [error, data]) if (stream !== undefined) refuse(stream);
    }, limits.remoteStreamsMs);
    const pair = { late };
    this.#pairs.set(key, pair);
    return pair;
  }
}

function declaredPorts(pod: KubeObject): ReadonlySet<number> {
  const containers = listAt(pod, 'spec', 'containers').filter(isJsonObject);
  const ports = containers.flatMap((container) => listAt(container, 'ports'));
  const overTcp = ports.filter((port) => ['', 'TCP'].includes(textAt(port, 'protocol')));
  return new Set(overTcp.map((port) => numberAt(port, 'containerPort')));
}

function refuse(stream: SpdyStream): void {
  stream.reset(resetStatus.refusedStream).catch(ignoreLeaving);
}
