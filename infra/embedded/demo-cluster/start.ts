/**
 * The demo cluster: a stand-in for a Kubernetes API server that real kubectl believes, for machines without a cluster
 * at hand. This file puts its parts together: store, seed, controllers, server.
 *
 * It refuses to be reached from elsewhere, never starts a program, and says in its version what it is.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { Cluster } from './call.ts';
import { Controllers } from './controllers.ts';
import { handle } from './dispatch.ts';
import { PodDisks } from './files/pod-disks.ts';
import type { LogLine, World } from './objects.ts';
import { Sessions } from './remote/sessions.ts';
import { seedDemo, seedSystem } from './seed.ts';
import { listen } from './server.ts';
import { keepState, loadState } from './state-file.ts';
import { Store } from './store.ts';

export interface DemoClusterOptions {
  /** PEM texts; the certificate must be good for 127.0.0.1. */
  tls: { cert: string; key: string };
  /** The bearer token of the agent's service account. */
  serviceAccountToken: string;
  /** A free port when 0 or absent. */
  port?: number;
  /** Where objects are kept across restarts; nowhere when absent. */
  stateFile?: string;
  now: () => Date;
  log?: LogLine;
  /** How long a pod takes to start and to stop, in milliseconds. */
  podStartMs?: number;
  podStopMs?: number;
}

export interface DemoCluster {
  url: string;
  port: number;
  /** Ends open requests, writes the state file and closes the port. */
  stop(): Promise<void>;
}

/** Starts the demo cluster and answers when it listens. */
export async function startDemoCluster(options: DemoClusterOptions): Promise<DemoCluster> {
  const { tls, serviceAccountToken, stateFile, podStartMs = 700, podStopMs = 300, log = () => undefined } = options;
  const world: World = { now: options.now, uid: randomUUID, suffix };
  const store = new Store(world);
  const restored = stateFile !== undefined && (await loadState(store, stateFile));
  seedSystem(store, world);
  if (!restored) seedDemo(store);
  const controllers = new Controllers({ store, world, podStartMs, podStopMs, rootCertificate: tls.cert }, log);
  const disks = new PodDisks(options.now);
  store.onChange(({ type, object }) => {
    if (type === 'DELETED' && object.kind === 'Pod') disks.forget(object.metadata.uid);
  });
  const cluster: Cluster = { store, world, log, openStreams: new Set(), sessions: new Sessions(store), disks };
  const server = await listen(tls, options.port ?? 0, (exchange) => handle(exchange, cluster, serviceAccountToken));
  const stopKeeping = stateFile === undefined ? undefined : keepState(store, stateFile, log);
  controllers.start();
  return {
    url: `https://127.0.0.1:${server.port}`,
    port: server.port,
    async stop() {
      controllers.stop();
      await server.close();
      await stopKeeping?.();
    },
  };
}

/** Five letters and digits without vowels, as generated names end. */
function suffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
